// The program with Streamable HTTP; `backup-plugin-db serve --http` hands over to it.
#include "app/main_parts.h"
#include "server/http/http_server.h"

int main(int argc, char** argv) {
  server::ProgramParts parts = server::main_parts();
  parts.http = server::serve_http;
  return server::run_program(argc, argv, parts);
}
