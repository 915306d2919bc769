/* Kills a program at a moment: MILLISECONDS PROGRAM WORDS…. Starts it, waits so long and terminates it,
   if it has not ended by itself. Says "killed" or "ended <exit code> after <milliseconds>". */
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

/* What stands behind the first two words of our own command line. */
static wchar_t* rest_of_line(void) {
  wchar_t* at = GetCommandLineW();
  for (int word = 0; word < 2; ++word) {
    int quoted = 0;
    for (; *at != 0 && (quoted || *at != L' '); ++at) quoted ^= *at == L'"';
    while (*at == L' ') ++at;
  }
  return at;
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  STARTUPINFOW start = {.cb = sizeof start};
  PROCESS_INFORMATION info;
  const ULONGLONG begin = GetTickCount64();
  if (!CreateProcessW(NULL, rest_of_line(), NULL, NULL, FALSE, 0, NULL, NULL, &start, &info)) return 3;
  if (WaitForSingleObject(info.hProcess, strtoul(argv[1], NULL, 10)) == WAIT_TIMEOUT) {
    TerminateProcess(info.hProcess, 137);
    WaitForSingleObject(info.hProcess, INFINITE);
    printf("\nkilled\n");
    return 0;
  }
  DWORD code = 0;
  GetExitCodeProcess(info.hProcess, &code);
  printf("\nended %lu after %llu\n", code, GetTickCount64() - begin);
  return 0;
}
