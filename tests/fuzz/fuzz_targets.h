// What is fuzzed: a name, and a function that is given bytes of anybody's making. A target ends the
// process (CHECK, a sanitizer, a signal) when the parser breaks a promise; refusing is no fault.
//
// Thread rule: one thread. A target keeps nothing between calls but what is costly to open.
#pragma once

#include <span>
#include <string_view>

namespace pytoon::fuzz {

struct Target {
  std::string_view name;  // of its folder under tests/fuzz/corpus too
  void (*run)(std::string_view bytes);
};

std::span<const Target> targets();

void multipart(std::string_view bytes);
void request_head(std::string_view bytes);
void job_request(std::string_view bytes);
void render_spec(std::string_view bytes);
void movie_boxes(std::string_view bytes);
void matroska_elements(std::string_view bytes);
void audio_format(std::string_view bytes);
void workflow(std::string_view bytes);
void provider_answer(std::string_view bytes);
void s3_xml(std::string_view bytes);
void addresses(std::string_view bytes);
void caption_text(std::string_view bytes);

}  // namespace pytoon::fuzz
