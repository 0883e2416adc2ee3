// What other services answer, and what operators and clients write as addresses.
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/json.h"
#include "base/web_address.h"
#include "engines/comfyui/reply.h"
#include "engines/comfyui/workflow.h"
#include "engines/placeholders.h"
#include "engines/remote/remote_engine.h"
#include "server/http/ip_address.h"
#include "server/io/database_url.h"
#include "server/io/redis/redis_url.h"
#include "server/io/storage/s3_xml.h"
#include "tests/fuzz/fuzz_targets.h"
#include "tests/fuzz/memory_file.h"

namespace pytoon::fuzz {

// A graph of anybody's making: the file itself, and what is asked of a graph that was taken.
void workflow(std::string_view bytes) {
  const MemoryFile file(bytes);
  const auto workflow = engines::read_workflow(file.path());
  if (!workflow) return;
  (void)engines::with_tiled_decoding(workflow->graph);
  (void)engines::prior_of(*workflow);
  (void)engines::missing_for(*workflow, nlohmann::ordered_json::object());
  CHECK(workflow->frames_for(3) > 0, "no length of a clip");
}

// What a provider or a ComfyUI server says, looked at as the engines do.
void provider_answer(std::string_view bytes) {
  const std::string text(bytes);
  CHECK(engines::excerpt_of(text).size() <= 200, "an excerpt is not short");
  const auto json = parse_json<nlohmann::ordered_json>(text);
  if (json.is_discarded()) return;
  for (const char* pointer : {"", "/id", "/status", "/data/0/url", "/error/message", "/a~1b"}) {
    (void)engines::text_at(json, pointer);
  }
  (void)engines::too_old(json);
  const auto plain = parse_json<nlohmann::json>(text);
  (void)engines::text_of(plain, "prompt_id");
  (void)engines::filled_text("{{id}}", {{"id", engines::text_at(json, "/id")}});
}

void s3_xml(std::string_view bytes) {
  (void)io::read_xml(bytes, "ListBucketResult");
  (void)io::error_code(bytes);
  (void)io::xml_time(std::string(bytes));
  (void)io::http_date(std::string(bytes));
}

void addresses(std::string_view bytes) {
  const std::string text(bytes);
  const auto base = parse_web_address("https://example.com/a/b?c");
  (void)resolve_link(*base, text);
  if (const auto address = parse_web_address(text)) {
    CHECK(!address->host.empty(), "an address without a host");
    (void)names_private_network(*address);
    (void)read_ip(address->host);
  }
  (void)io::parse_database_url(text);
  (void)io::parse_redis_url(text);
  if (const auto proxies = http::AddressSet::parse(text)) {
    (void)http::client_of(std::nullopt, text, *proxies);
  }
}

}  // namespace pytoon::fuzz
