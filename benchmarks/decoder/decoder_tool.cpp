// What a confined process costs: each file decoded here and behind the door, in turns, so that a
// busy machine is busy for both. One line of JSON a file: medians in milliseconds.
//
// decoder_tool PROGRAM TURNS FILE...   PROGRAM is pytoon; what a file is, its name says
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "pipeline/media/decoder/child_decoder.h"
#include "pipeline/media/decoder/local_decoder.h"

namespace {

using namespace pytoon;

double median_ms(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

double once_ms(const std::function<bool()>& work) {
  const SystemClock clock;
  const SteadyTime began = clock.steady_now();
  if (!work()) std::exit(1);
  return std::chrono::duration<double, std::milli>(clock.steady_now() - began).count();
}

media::FileKind kind_of(const std::string& extension) {
  if (extension == ".mp4" || extension == ".mov") return media::FileKind::kClip;
  const bool audio = extension == ".mp3" || extension == ".wav" || extension == ".m4a";
  return audio ? media::FileKind::kAudio : media::FileKind::kImage;
}

std::function<bool()> reading(media::FileDecoder& decoder, const std::filesystem::path& file) {
  constexpr std::size_t kMinute = std::size_t{48'000} * 60;
  if (kind_of(file.extension()) == media::FileKind::kAudio) {
    return [&decoder, file] { return bool(decoder.read_audio(file, kMinute, {})); };
  }
  return [&decoder, file] { return bool(decoder.read_image(file)); };
}

void compare(const std::string& what, const std::filesystem::path& file, int turns,
             const std::function<bool()>& here, const std::function<bool()>& there) {
  std::vector<double> here_ms;
  std::vector<double> there_ms;
  once_ms(here);
  once_ms(there);
  for (int i = 0; i < turns; ++i) {
    here_ms.push_back(once_ms(here));
    there_ms.push_back(once_ms(there));
  }
  const double least = median_ms(here_ms);
  const double confined = median_ms(there_ms);
  std::cout << json_text(nlohmann::ordered_json{{"what", what},
                                                {"file", file.filename().string()},
                                                {"here_ms", least},
                                                {"confined_ms", confined},
                                                {"over_ms", confined - least},
                                                {"ratio", confined / least}})
            << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  media::ChildDecoder::Options options;
  options.program = argv[1];
  media::ChildDecoder there(options);
  media::LocalDecoder here;
  const int turns = std::atoi(argv[2]);
  for (int i = 3; i < argc; ++i) {
    const std::filesystem::path file = argv[i];
    const media::FileKind kind = kind_of(file.extension());
    compare(
        "inspect", file, turns, [&] { return bool(here.inspect(kind, file)); },
        [&] { return bool(there.inspect(kind, file)); });
    if (kind == media::FileKind::kClip) continue;
    compare("read", file, turns, reading(here, file), reading(there, file));
  }
  return 0;
}
