/* The other program that has the database open: DATABASE SECONDS. Commits every 10 ms, each time one
   row to each of two tables, for so long or until DATABASE.stop is there; prints "+" after the first
   commit and then "<commits> <failures>". */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <windows.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  sqlite3* database = NULL;
  if (sqlite3_open(argv[1], &database) != SQLITE_OK) return 3;
  sqlite3_busy_timeout(database, 10000);
  long commits = 0, failures = 0;
  char stop[4096];
  snprintf(stop, sizeof stop, "%s.stop", argv[1]);
  const time_t end = time(NULL) + atol(argv[2]);
  while (time(NULL) < end && GetFileAttributesA(stop) == INVALID_FILE_ATTRIBUTES) {
    const int code = sqlite3_exec(database,
                                  "BEGIN IMMEDIATE; INSERT INTO notes(body) VALUES(hex(randomblob(90)));"
                                  "INSERT INTO copies(body) SELECT body FROM notes ORDER BY id DESC "
                                  "LIMIT 1; COMMIT;",
                                  NULL, NULL, NULL);
    if (code != SQLITE_OK) {
      ++failures;
      fprintf(stderr, "writer: %s\n", sqlite3_errmsg(database));
      sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    } else if (++commits == 1) {
      printf("+");
      fflush(stdout);
    }
    Sleep(10);
  }
  printf("%ld %ld", commits, failures);
  return sqlite3_close(database) == SQLITE_OK ? 0 : 4;
}
