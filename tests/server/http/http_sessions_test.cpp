// Sessions over HTTP: ids, the bound on how many, and the streams they keep.
#include "server/http/http_sessions.h"

#include <set>

#include "support/catch.h"

using namespace server;

namespace {

std::shared_ptr<HttpSession> add(SessionStore& store, const std::string& id) {
  auto session = std::make_shared<HttpSession>(id);
  CHECK(store.add(session).added);
  return session;
}

}  // namespace

TEST_CASE("Session ids are long, visible ASCII and never the same") {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = SessionStore::make_id();
    CHECK(id.size() == 32);
    CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
    ids.insert(id);
  }
  CHECK(ids.size() == 1000);
}

TEST_CASE("A full store drops the session that was not used for the longest time") {
  SessionStore store(2);
  add(store, "a");
  add(store, "b");
  CHECK(store.find("a") != nullptr);
  const auto added = store.add(std::make_shared<HttpSession>("c"));
  CHECK(added.added);
  REQUIRE(added.evicted);
  CHECK(added.evicted->id() == "b");
  CHECK(store.find("b") == nullptr);
  CHECK(store.size() == 2);
}

TEST_CASE("Sessions somebody listens to are not dropped for new ones") {
  SessionStore store(1);
  const auto session = add(store, "a");
  const auto ticket = session->listen()->attach().ticket;
  CHECK_FALSE(store.add(std::make_shared<HttpSession>("b")).added);
  session->listen()->detach(ticket);
  CHECK(store.add(std::make_shared<HttpSession>("b")).added);
  CHECK(store.find("a") == nullptr);
}

TEST_CASE("Sessions in which a call waits for its reply are not dropped for new ones") {
  SessionStore store(1);
  const auto session = add(store, "a");
  {
    const auto first = session->begin_call();
    const auto second = session->begin_call();
    CHECK_FALSE(store.add(std::make_shared<HttpSession>("b")).added);
  }
  CHECK(store.add(std::make_shared<HttpSession>("b")).added);
}

TEST_CASE("A session keeps a bounded number of streams, finished ones go first") {
  HttpSession session("a");
  const auto running = std::make_shared<EventStream>(true);
  const auto first = session.keep(running);
  for (std::size_t i = 0; i < HttpSession::kMaxStreams + 3; ++i) {
    const auto stream = std::make_shared<EventStream>(true);
    stream->finish();
    session.keep(stream);
  }
  CHECK(session.stream(first) == running);
  CHECK(session.stream(first + 1) == nullptr);
  CHECK(session.stream(HttpSession::kListenStream) == session.listen());
}

TEST_CASE("Removing sessions gives them back to be ended") {
  SessionStore store(10);
  add(store, "a");
  add(store, "b");
  CHECK(store.remove("a")->id() == "a");
  CHECK(store.remove("a") == nullptr);
  CHECK(store.remove_all().size() == 1);
  CHECK(store.size() == 0);
}

TEST_CASE("Event ids survive the way to the client and back") {
  CHECK(to_text(EventId{3, 17}) == "3.17");
  const auto id = event_id_from("3.17");
  REQUIRE(id);
  CHECK(id->stream == 3);
  CHECK(id->event == 17);
  for (const char* bad : {"", ".", "3", "3.", ".17", "3.17x", "-3.1", "3.17.1", " 3.17",
                          "99999999999999999999999.1"}) {
    CHECK_FALSE(event_id_from(bad));
  }
}
