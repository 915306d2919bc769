// The fixture's resources, prompts, completion and skills.
#include <array>

#include "fixture.h"

namespace fixture {
namespace {

using server::InputRequired;
using server::Prompt;
using server::PromptOutcome;
using server::PromptResult;

constexpr std::string_view kTemplateHead = "test://template/";
constexpr std::string_view kTemplateTail = "/data";

class FixedResources final : public server::ResourceProvider {
 public:
  tl::expected<server::ResourcePage, server::RpcError> list(
      const std::optional<std::string>& cursor) override {
    if (cursor) {
      return tl::unexpected(
          server::RpcError{server::rpc_code::kInvalidParams, "There is only one page"});
    }
    const auto entry = [](const char* uri, const char* name, const char* mime_type) {
      return Json{{"uri", uri},
                  {"name", name},
                  {"description", std::string("A resource to test with: ") + name},
                  {"mimeType", mime_type}};
    };
    return server::ResourcePage{
        Json::array({entry("test://static-text", "text", "text/plain"),
                     entry("test://static-binary", "binary", "image/png"),
                     entry("test://watched-resource", "watched", "text/plain")}),
        {}};
  }

  Json templates() override {
    return Json::array({{{"uriTemplate", "test://template/{id}/data"},
                         {"name", "template"},
                         {"description", "Data by id"},
                         {"mimeType", "application/json"}}});
  }

  server::ReadOutcome read(const std::string& uri, CallContext&) override {
    if (uri == "test://static-text") {
      return text(uri, "text/plain", "This is the content of the static text resource.");
    }
    if (uri == "test://watched-resource") {
      return text(uri, "text/plain", "This resource may be subscribed to.");
    }
    if (uri == "test://static-binary") {
      return server::ResourceContents{
          Json::array({{{"uri", uri}, {"mimeType", "image/png"}, {"blob", kPng}}})};
    }
    if (uri.starts_with(kTemplateHead) && uri.ends_with(kTemplateTail) &&
        uri.size() > kTemplateHead.size() + kTemplateTail.size()) {
      const std::string id = uri.substr(kTemplateHead.size(),
                                        uri.size() - kTemplateHead.size() - kTemplateTail.size());
      return text(uri, "application/json",
                  Json{{"id", id}, {"templateTest", true}, {"data", "Data for ID: " + id}}.dump());
    }
    return server::UnknownResource{};
  }

  bool can_subscribe(const std::string& uri) override { return uri.starts_with("test://"); }

 private:
  static server::ResourceContents text(const std::string& uri, const char* mime_type,
                                       std::string_view content) {
    return {Json::array({{{"uri", uri}, {"mimeType", mime_type}, {"text", content}}})};
  }
};

Json user_message(Json content) {
  return {{"role", "user"}, {"content", std::move(content)}};
}

Json argument(const char* name) {
  return {{"name", name}, {"description", "An argument to test with"}, {"required", true}};
}

Prompt make_prompt(const char* name, const char* description, Json arguments,
                   std::function<PromptOutcome(const Json&, CallContext&)> handler) {
  Json entry{{"name", name}, {"description", description}};
  if (!arguments.empty()) entry["arguments"] = std::move(arguments);
  return {std::move(entry), std::move(handler)};
}

PromptOutcome asks_context(const Json&, CallContext& context) {
  const Json answer = accepted(context, "user_context", "context");
  if (!answer.is_string()) {
    return InputRequired{{elicit("user_context", "What context should the prompt use?",
                                 {{"context", {{"type", "string"}}}}, {"context"})},
                         {}};
  }
  return PromptResult{
      "Asked",
      Json::array({user_message(text_block("Use this context: " + answer.get<std::string>()))})};
}

constexpr std::string_view kFrontmatter =
    R"({"name":"fixture-skill","description":"A skill to test the skills extension with."})";
constexpr std::string_view kSkill = R"(---
name: fixture-skill
description: A skill to test the skills extension with.
---

# Fixture skill

Read [the details](references/details.md).
)";
constexpr std::string_view kDetails = "# Details\n\nThere are none.\n";

}  // namespace

std::shared_ptr<server::ResourceProvider> resources() {
  return std::make_shared<FixedResources>();
}

std::vector<Prompt> prompts() {
  std::vector<Prompt> list;
  list.push_back(make_prompt(
      "test_simple_prompt", "A prompt without arguments", Json::array(),
      [](const Json&, CallContext&) -> PromptOutcome {
        return PromptResult{
            "Simple",
            Json::array({user_message(text_block("This is a simple prompt for testing."))})};
      }));
  list.push_back(make_prompt(
      "test_prompt_with_arguments", "A prompt with two arguments",
      Json::array({argument("arg1"), argument("arg2")}),
      [](const Json& arguments, CallContext&) -> PromptOutcome {
        return PromptResult{"With arguments",
                            Json::array({user_message(text_block(
                                "Prompt with arguments: arg1='" + arguments.value("arg1", "") +
                                "', arg2='" + arguments.value("arg2", "") + "'"))})};
      }));
  list.push_back(make_prompt(
      "test_prompt_with_embedded_resource", "A prompt that holds a resource",
      Json::array({argument("resourceUri")}),
      [](const Json& arguments, CallContext&) -> PromptOutcome {
        return PromptResult{
            "With a resource",
            Json::array({user_message({{"type", "resource"},
                                       {"resource",
                                        {{"uri", arguments.value("resourceUri", "")},
                                         {"mimeType", "text/plain"},
                                         {"text", "Embedded resource content for testing."}}}}),
                         user_message(text_block("Please process the embedded resource above."))})};
      }));
  list.push_back(make_prompt(
      "test_prompt_with_image", "A prompt that holds a picture", Json::array(),
      [](const Json&, CallContext&) -> PromptOutcome {
        return PromptResult{
            "With a picture",
            Json::array(
                {user_message({{"type", "image"}, {"data", kPng}, {"mimeType", "image/png"}}),
                 user_message(text_block("Please analyze the image above."))})};
      }));
  list.push_back(make_prompt("test_input_required_result_prompt", "A prompt that asks first",
                             Json::array(), asks_context));
  return list;
}

std::vector<server::SkillFile> skills() {
  return {{"fixture-skill/SKILL.md", kSkill, kFrontmatter},
          {"fixture-skill/references/details.md", kDetails, {}}};
}

}  // namespace fixture
