// Turns arguments into a command line that a person can paste into a shell: a POSIX one, and on
// Windows cmd as well as PowerShell. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace core {

// One word, quoted only where the shell would read it as anything else.
std::string shell_word(std::string_view word);
// The same for the shells of Windows, on every system. Of a name with % or $ they make different
// things; PowerShell wants an & before a program whose path is quoted.
std::string windows_shell_word(std::string_view word);
// "mkdir -p '/home/me/my project'".
std::string shell_command(const std::vector<std::string>& words);
// What a shell puts the variable's value in the place of: "$NAME", in PowerShell "$env:NAME".
std::string shell_variable(std::string_view name);
// The command by which a person gives a file another name: no file of that name is lost by it.
std::string move_command(std::string_view from, std::string_view to);

}  // namespace core
