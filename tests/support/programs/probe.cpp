// The program behind tests of commands:
//   probe words ARGV…  copies its input to its output, then the variable EXTRA; each of ARGV, and
//   "|"
//                      behind it, to its errors; ends with 3
//   probe fill BYTES   so many x; "end" to its errors
//   probe hold X       says "holding" to its errors, and ends with 4 when its input does
//   probe sleep MS
//   probe leave MS     starts a probe that sleeps so long, says "started" and ends
//   probe beat FILE    writes a byte to the file every 20 ms, for a few minutes
//   probe parent FILE  starts a probe that beats, and outlives it
#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#include <windows.h>
#else
#include <spawn.h>
extern "C" char** environ;
#endif

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

namespace {

void sleep_ms(const char* duration) {
  std::this_thread::sleep_for(std::chrono::milliseconds(std::atol(duration)));
}

// Another probe, with the streams of this one.
bool start_probe(const char* program, const char* mode, const char* argument) {
  std::string words[] = {program, mode, argument};
#ifdef _WIN32
  std::string line = "\"" + words[0] + "\" " + words[1] + " \"" + words[2] + "\"";
  STARTUPINFOA start{};
  start.cb = sizeof start;
  PROCESS_INFORMATION info{};
  return ::CreateProcessA(nullptr, line.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr, &start,
                          &info) != 0;
#else
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  pid_t child = -1;
  return posix_spawn(&child, program, nullptr, nullptr, arguments, environ) == 0;
#endif
}

void beat(const char* path) {
  for (int i = 0; i < 10'000; ++i) {
    if (std::FILE* file = std::fopen(path, "ab")) {
      std::fputc('x', file);
      std::fclose(file);
    }
    sleep_ms("20");
  }
}

int words(int argc, char** argv) {
  for (int c = std::getchar(); c != EOF; c = std::getchar()) std::putchar(c);
  const char* extra = std::getenv("EXTRA");
  std::fputs(extra != nullptr ? extra : "", stdout);
  for (int i = 2; i < argc; ++i) std::fprintf(stderr, "%s|", argv[i]);
  return 3;
}

int fill(const char* bytes) {
  const std::string text(static_cast<std::size_t>(std::atol(bytes)), 'x');
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputs("end\n", stderr);
  return 0;
}

int hold() {
  std::fputs("holding\n", stderr);
  std::fflush(stderr);
  while (std::getchar() != EOF) {
  }
  return 4;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
#ifdef _WIN32
  for (std::FILE* file : {stdin, stdout, stderr}) ::_setmode(::_fileno(file), _O_BINARY);
#endif
  const std::string mode = argv[1];
  if (mode == "words") return words(argc, argv);
  if (argc != 3) return 2;
  if (mode == "fill") return fill(argv[2]);
  if (mode == "hold") return hold();
  if (mode == "sleep") sleep_ms(argv[2]);
  if (mode == "leave") {
    if (!start_probe(argv[0], "sleep", argv[2])) return 1;
    std::puts("started");
  }
  if (mode == "beat") beat(argv[2]);
  if (mode == "parent") {
    if (!start_probe(argv[0], "beat", argv[2])) return 1;
    sleep_ms("300000");
  }
  return 0;
}
