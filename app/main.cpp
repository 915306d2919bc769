// The program: command line and MCP on standard input and output, without an HTTP stack to load.
#include "app/main_parts.h"

int main(int argc, char** argv) {
  return server::run_program(argc, argv, server::main_parts());
}
