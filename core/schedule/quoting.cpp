// The escaping rules of systemd units, crontabs, Windows command lines and XML.
#include "core/schedule/quoting.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/base/hex.h"
#include "core/base/utf8.h"

namespace core {

namespace {

tl::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message),
              "Rename the file or folder, or choose another name.");
}

Expected<> refuse_nul(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return refuse("A NUL byte cannot stand in a path or name.");
  }
  return {};
}

void append_hex_byte(std::string& out, unsigned char byte) {
  const char c = static_cast<char>(byte);
  out += "\\x" + hex_of({&c, 1});
}

// Escapes for inside systemd's double quotes. Dollars mean variables in arguments only.
std::string systemd_quoted(std::string_view text, bool double_dollars) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::size_t length = first_character(text.substr(at)).bytes;
    if (c == '\\' || c == '"') {
      out += '\\';
      out += c;
    } else if (c == '%') {
      out += "%%";
    } else if (c == '$' && double_dollars) {
      out += "$$";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (length == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      append_hex_byte(out, static_cast<unsigned char>(c));
    } else {
      out += text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return out + '"';
}

bool needs_env(std::string_view program) {
  return std::any_of(program.begin(), program.end(), [](char c) {
    return c == '\'' || c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
}

}  // namespace

bool has_line_break(std::string_view text) {
  return text.find_first_of("\r\n") != std::string_view::npos;
}

Expected<std::string> systemd_argument(std::string_view argument) {
  BPD_TRY(refuse_nul(argument));
  return systemd_quoted(argument, true);
}

Expected<std::string> systemd_command(const std::vector<std::string>& argv) {
  std::string line;
  for (std::size_t i = 0; i < argv.size(); ++i) {
    BPD_TRY(refuse_nul(argv[i]));
    const bool plain_program = i == 0 && is_utf8_without_nul(argv[0]) && !needs_env(argv[0]);
    if (i == 0 && !plain_program) {
      line += "/usr/bin/env -- ";
    } else if (i > 0) {
      line += ' ';
    }
    line += systemd_quoted(argv[i], !plain_program);
  }
  return line;
}

Expected<std::string> crontab_word(std::string_view word) {
  BPD_TRY(refuse_nul(word));
  if (has_line_break(word)) return refuse("A line break cannot stand in a crontab line.");
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += R"('"'"')";
    } else if (c == '%') {
      out += R"sh('"$(printf '\045')"')sh";
    } else if (c == '\\') {
      out += R"sh('"$(printf '\134')"')sh";
    } else {
      out += c;
    }
  }
  return out + "'";
}

Expected<std::string> windows_argument(std::string_view argument) {
  BPD_TRY(refuse_nul(argument));
  if (!argument.empty() && argument.find_first_of(" \t\n\v\"") == std::string_view::npos) {
    return std::string(argument);
  }
  std::string out = "\"";
  std::size_t backslashes = 0;
  for (const char c : argument) {
    if (c == '\\') {
      ++backslashes;
      continue;
    }
    // Backslashes are literal unless a quote follows them.
    out.append(c == '"' ? 2 * backslashes + 1 : backslashes, '\\');
    out += c;
    backslashes = 0;
  }
  out.append(2 * backslashes, '\\');
  return out + '"';
}

Expected<std::string> windows_arguments(const std::vector<std::string>& arguments) {
  std::string line;
  for (const std::string& argument : arguments) {
    BPD_TRY_AS(quoted, windows_argument(argument));
    line += (line.empty() ? "" : " ") + *quoted;
  }
  return line;
}

Expected<std::string> xml_text(std::string_view text) {
  if (!is_utf8_without_nul(text)) {
    return refuse("Invalid UTF-8 cannot stand in an XML file: '" + std::string(text) + "'.");
  }
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\t':
        out += "&#9;";
        break;
      case '\n':
        out += "&#10;";
        break;
      case '\r':
        out += "&#13;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          return refuse("A control character cannot stand in an XML file.");
        }
        out += c;
    }
  }
  return out;
}

Expected<std::string> utf16le_with_bom(std::string_view utf8) {
  if (!is_utf8_without_nul(utf8)) return refuse("Invalid UTF-8 cannot be turned into UTF-16.");
  std::string out = "\xFF\xFE";
  const auto put = [&](std::uint32_t unit) {
    out += static_cast<char>(unit & 0xFF);
    out += static_cast<char>(unit >> 8 & 0xFF);
  };
  while (!utf8.empty()) {
    const auto [code, bytes] = first_character(utf8);
    if (code >= 0x10000) {
      put(0xD800 + ((code - 0x10000) >> 10));
      put(0xDC00 + ((code - 0x10000) & 0x3FF));
    } else {
      put(code);
    }
    utf8.remove_prefix(bytes);
  }
  return out;
}

}  // namespace core
