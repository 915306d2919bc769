// The entry point of every test program.
#ifdef BPD_SANITIZED
// For ThreadSanitizer. The library comes without instrumentation: ThreadSanitizer does not see that
// its static sets are made before they are read, and reports what two first requests at once do
// with them.
extern "C" const char* __tsan_default_suppressions();
const char* __tsan_default_suppressions() {
  return "called_from_lib:libcpp-httplib.so\n";
}
#endif

#ifdef BPD_CATCH2_V3
#include <catch2/catch_session.hpp>
int main(int argc, char** argv) {
  return Catch::Session().run(argc, argv);
}
#else
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
