// Escaping, judged by a parser of each format that is written here from its documentation; the real
// systemd and cron judge the same strings in tests/schedulers.
#include "core/schedule/quoting.h"

#include <array>
#include <cstdio>

#include "core/base/env.h"
#include "core/base/utf8.h"
#include "support/catch.h"
#include "support/temp_folder.h"

using namespace core;

namespace {

const std::vector<std::string> kHardStrings = {"two words",
                                               "dq\"x",
                                               "sq'x",
                                               "100%",
                                               "%h %n",
                                               "$HOME ${HOME} $$",
                                               "back\\slash\\",
                                               "",
                                               ";",
                                               "#hash",
                                               "tab\there",
                                               "é",
                                               "-x",
                                               "@a",
                                               "a\\b",
                                               "a\\\\b",
                                               "a\\%b",
                                               "$HOME `id` ",
                                               "#h",
                                               ";&|",
                                               "tail\\",
                                               "%d%%",
                                               "~x *",
                                               "!bang",
                                               "<a & b>",
                                               "(p) [q] {r}",
                                               "日本語",
                                               "\xF0\x9F\x92\xBE"};

// systemd.syntax(7): what systemd makes of one double-quoted argument, after specifiers and
// variables.
std::string read_systemd_argument(std::string_view text) {
  REQUIRE(text.size() >= 2);
  REQUIRE(text.front() == '"');
  REQUIRE(text.back() == '"');
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '\\') {
      ++i;
      if (next == 'n') {
        out += '\n';
      } else if (next == 't') {
        out += '\t';
      } else if (next == 'x') {
        out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
      } else {
        REQUIRE((next == '\\' || next == '"'));
        out += next;
      }
    } else if (text[i] == '%' || text[i] == '$') {
      REQUIRE(next == text[i]);
      out += text[i++];
    } else {
      REQUIRE(text[i] != '"');
      out += text[i];
    }
  }
  return out;
}

std::string through_shell(const std::string& word) {
  const Command command{{"/bin/sh", "-c", "printf '%s' " + word}, {}, {}};
  const auto result = system_commands().run(command, {});
  REQUIRE(result);
  REQUIRE(result->exit_code == 0);
  return result->output;
}

// What Python's parsers make of these texts in a property list and in an XML file of UTF-16.
std::vector<std::string> read_xml(const std::vector<std::string>& texts) {
  std::string strings, elements;
  for (const std::string& text : texts) {
    strings += "<string>" + *xml_text(text) + "</string>";
    elements += "<t>" + *xml_text(text) + "</t>";
  }
  const test::TempFolder folder;
  test::write_file(folder / "plist",
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?><plist "
                   "version=\"1.0\"><array>" +
                       strings + "</array></plist>");
  test::write_file(
      folder / "xml",
      *utf16le_with_bom("<?xml version=\"1.0\" encoding=\"UTF-16\"?><r>" + elements + "</r>"));
  const Command command{{"python3", "-c",
                         "import plistlib,sys,xml.etree.ElementTree as E\n"
                         "a=plistlib.load(open(sys.argv[1]+'/plist','rb'))\n"
                         "b=[e.text or '' for e in E.parse(sys.argv[1]+'/xml').getroot()]\n"
                         "assert a==b,(a,b)\n"
                         "sys.stdout.buffer.write(b''.join(t.encode()+b'\\0' for t in a))",
                         folder.path().string()},
                        {},
                        {}};
  const auto result = system_commands().run(command, {});
  REQUIRE(result);
  INFO(result->error_output);
  REQUIRE(result->exit_code == 0);
  std::vector<std::string> seen;
  for (std::size_t at = 0; at < result->output.size();) {
    const std::size_t end = result->output.find('\0', at);
    seen.push_back(result->output.substr(at, end - at));
    at = end + 1;
  }
  return seen;
}

// The documented algorithm of CommandLineToArgvW, for words after the first.
std::vector<std::string> read_windows_arguments(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false, in_word = false;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    if (i == line.size() || (!quoted && (line[i] == ' ' || line[i] == '\t'))) {
      if (in_word) words.push_back(word);
      word.clear();
      in_word = false;
      continue;
    }
    in_word = true;
    std::size_t backslashes = 0;
    while (i < line.size() && line[i] == '\\') {
      ++backslashes;
      ++i;
    }
    if (i < line.size() && line[i] == '"') {
      word.append(backslashes / 2, '\\');
      if (backslashes % 2 != 0) {
        word += '"';
      } else {
        quoted = !quoted;
      }
    } else {
      word.append(backslashes, '\\');
      if (backslashes != 0) {
        --i;
      } else {
        word += line[i];
      }
    }
  }
  return words;
}

}  // namespace

TEST_CASE("Every hard string survives systemd's quoting of an argument") {
  for (const std::string& text : kHardStrings) {
    CAPTURE(text);
    CHECK(read_systemd_argument(*systemd_argument(text)) == text);
  }
  for (const std::string text : {"line\nbreak", "\xFF\xFE", "\x01\x7F", "\r"}) {
    CAPTURE(text);
    CHECK(read_systemd_argument(*systemd_argument(text)) == text);
    CHECK(is_utf8(*systemd_argument(text)));
  }
}

TEST_CASE("A systemd command doubles dollars in arguments but not in the program") {
  CHECK(*systemd_command({"/we ird 100% $HOME/p", "run", "$x"}) ==
        R"("/we ird 100%% $HOME/p" "run" "$$x")");
}

TEST_CASE("A program path with a quote or backslash goes through env, as an argument") {
  CHECK(*systemd_command({"/it's $x/p", "run"}) == R"(/usr/bin/env -- "/it's $$x/p" "run")");
  CHECK(*systemd_command({"/a\tb/p", "run"}) == R"(/usr/bin/env -- "/a\tb/p" "run")");
  CHECK(*systemd_command({"/a\\b/p", "run"}) == R"(/usr/bin/env -- "/a\\b/p" "run")");
}

TEST_CASE("Every hard string survives the shell of a crontab line") {
  for (const std::string& text : kHardStrings) {
    CAPTURE(text);
    const auto word = crontab_word(text);
    REQUIRE(word);
    CHECK(word->find('%') == std::string::npos);
    CHECK(through_shell(*word) == text);
  }
}

TEST_CASE("Line breaks and NUL bytes are refused where a format cannot carry them") {
  CHECK(crontab_word("a\nb").error().code == ErrorCode::invalid_argument);
  CHECK(crontab_word("a\rb").error().code == ErrorCode::invalid_argument);
  const std::string nul("a\0b", 3);
  CHECK_FALSE(crontab_word(nul));
  CHECK_FALSE(systemd_argument(nul));
  CHECK_FALSE(windows_argument(nul));
  CHECK_FALSE(xml_text(nul));
  CHECK_FALSE(xml_text("\x01"));
  CHECK_FALSE(xml_text("\xFF"));
}

TEST_CASE("Every hard string survives a Windows command line") {
  for (const std::string& text : kHardStrings) {
    CAPTURE(text);
    CHECK(read_windows_arguments(*windows_argument(text)) == std::vector<std::string>{text});
  }
  CHECK(read_windows_arguments(*windows_arguments(kHardStrings)) == kHardStrings);
  CHECK(*windows_argument("C:\\Program Files\\x\\") == R"("C:\Program Files\x\\")");
  CHECK(*windows_argument("plain") == "plain");
}

TEST_CASE("Every hard string survives the parsers of property lists and XML") {
  std::vector<std::string> texts = kHardStrings;
  texts.push_back("line\nbreak\r\n");
  for (const std::string& text : kHardStrings) texts.push_back(*windows_argument(text));
  CHECK(read_xml(texts) == texts);
}

TEST_CASE("XML text turns markup and white space into references") {
  CHECK(*xml_text("a & <b> \t\n\r'\"") == "a &amp; &lt;b&gt; &#9;&#10;&#13;'\"");
}

TEST_CASE("UTF-16 holds characters of every plane") {
  CHECK(*utf16le_with_bom("aé") == std::string("\xFF\xFE"
                                               "a\0\xE9\0",
                                               6));
  CHECK(*utf16le_with_bom("\xE2\x82\xAC\xF0\x9F\x92\xBE") ==
        std::string("\xFF\xFE\xAC\x20\x3D\xD8\xBE\xDC", 8));
  CHECK_FALSE(utf16le_with_bom("\xC0\x80"));
}
