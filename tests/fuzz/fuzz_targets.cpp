#include "tests/fuzz/fuzz_targets.h"

#include <array>

namespace pytoon::fuzz {

std::span<const Target> targets() {
  static constexpr std::array<Target, 12> kTargets{{{"multipart", multipart},
                                                    {"request_head", request_head},
                                                    {"job_request", job_request},
                                                    {"render_spec", render_spec},
                                                    {"movie_boxes", movie_boxes},
                                                    {"matroska_elements", matroska_elements},
                                                    {"audio_format", audio_format},
                                                    {"workflow", workflow},
                                                    {"provider_answer", provider_answer},
                                                    {"s3_xml", s3_xml},
                                                    {"addresses", addresses},
                                                    {"caption_text", caption_text}}};
  return kTargets;
}

}  // namespace pytoon::fuzz
