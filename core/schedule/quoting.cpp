// The escaping rules of systemd units, crontabs, Windows command lines and XML.
#include "core/schedule/quoting.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace core {

namespace {

// The number of bytes of the well-formed UTF-8 sequence at `at`; 0 when there is none.
// RFC 3629, section 4: no overlong forms, no surrogates, nothing above U+10FFFF.
std::size_t utf8_sequence(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t offset) -> unsigned {
    return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0u;
  };
  const auto continues = [&](std::size_t offset, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(offset) >= low && byte(offset) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return continues(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

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
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\x";
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

// Escapes for inside systemd's double quotes. Dollars mean variables in arguments only.
std::string systemd_quoted(std::string_view text, bool double_dollars) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::size_t length = utf8_sequence(text, at);
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

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_sequence(text, at);
    if (length == 0 || text[at] == '\0') {
      return false;
    }
    at += length;
  }
  return true;
}

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
    const bool plain_program = i == 0 && is_utf8(argv[0]) && !needs_env(argv[0]);
    if (i == 0 && !plain_program) {
      line += "/usr/bin/env -- ";
    } else if (i > 0) {
      line += ' ';
    }
    line += systemd_quoted(argv[i], !plain_program);
  }
  return line;
}

Expected<std::string> systemd_value(std::string_view value) {
  constexpr std::string_view kBlanks = " \t";
  const bool trimmed = !value.empty() && (kBlanks.find(value.front()) != std::string_view::npos ||
                                          kBlanks.find(value.back()) != std::string_view::npos);
  if (!is_utf8(value) || has_line_break(value) || trimmed || value.ends_with('\\')) {
    return refuse(
        "A line break, outer blanks, a final backslash or invalid UTF-8 cannot stand in a unit "
        "file: '" +
        std::string(value) + "'.");
  }
  std::string out;
  for (const char c : value) {
    out += c;
    if (c == '%') {
      out += '%';
    }
  }
  return out;
}

Expected<std::string> systemd_assignment(std::string_view key, std::string_view value) {
  const std::string text = std::string(key) + "=" + std::string(value);
  BPD_TRY(refuse_nul(text));
  return systemd_quoted(text, false);
}

Expected<std::string> crontab_word(std::string_view word) {
  BPD_TRY(refuse_nul(word));
  if (has_line_break(word)) {
    return refuse("A line break cannot stand in a crontab line.");
  }
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
  if (!is_utf8(text)) {
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
  if (!is_utf8(utf8)) {
    return refuse("Invalid UTF-8 cannot be turned into UTF-16.");
  }
  std::string out = "\xFF\xFE";
  const auto put = [&](std::uint32_t unit) {
    out += static_cast<char>(unit & 0xFF);
    out += static_cast<char>(unit >> 8 & 0xFF);
  };
  for (std::size_t at = 0; at < utf8.size();) {
    const std::size_t length = utf8_sequence(utf8, at);
    const auto first = static_cast<unsigned char>(utf8[at]);
    std::uint32_t code = length == 1 ? first : first & (0xFFu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
      code = code << 6 | (static_cast<unsigned char>(utf8[at + i]) & 0x3Fu);
    }
    if (code >= 0x10000) {
      put(0xD800 + ((code - 0x10000) >> 10));
      put(0xDC00 + ((code - 0x10000) & 0x3FF));
    } else {
      put(code);
    }
    at += length;
  }
  return out;
}

}  // namespace core
