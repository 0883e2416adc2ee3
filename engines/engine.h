// The interface of an engine. It makes the footage of one segment; the renderer always finishes it
// with captions, logo, product and transition. Engines differ in
// where the footage comes from, and only the engine chain knows more than one of them.
//
// Two families: those that let the renderer draw (the job's own images, the plain card), and those
// that make a clip elsewhere, which arrives as a verified MP4 beside nothing but itself.
//
// Thread rule: any thread, several segments at once. health() and generate() may block as long as
// the engine thinks, but never past the watch's deadline, and give up within 100 ms of its cancel.
// Errors: kCancelled (by the watch), kTimeout, kUnavailable, kBadResponse, kRateLimited,
// kOutOfMemory, kMedia (what came is no usable clip), kForbidden (we may not ask: a spend cap, a
// policy), kEngine. Blame::kInput in base/failure.h says that the engine did nothing wrong.
// Details are for operators and the job's reason: no key, no foreign server's paths.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/result.h"
#include "pipeline/media/clip/matrix_tag.h"
#include "pipeline/render/renderer.h"
#include "pipeline/spec/render_spec.h"

namespace pytoon::engines {

// What one segment needs. All that decides its pixels is in here.
struct FootageRequest {
  std::string job_id;
  int run = 0;  // a retry of the job is a new run: it may pay again
  int segment = 0;
  spec::Archetype archetype = spec::Archetype::kProductHero;
  bool brand_safe = true;
  std::string prompt;
  std::uint32_t seed = 0;  // of this segment
  int duration_seconds = 3;
  spec::Output frame;                    // what the footage is to fill
  std::optional<plan::InputFile> image;  // the one that the segment shows
  std::string platform = "universal";
  std::filesystem::path output;  // where a clip is to be written
  int priority = 0;              // of the job
  WallTime waiting_since{};      // of the job: since when it waits for its footage
  // Somebody had this task before and died: what was ordered for it may still be under way.
  bool taken_over = false;
  // Of a remote engine behind the one that is asked, to which the segment may go: what decides
  // whether waiting for our own card pays. Set by the engine chain.
  struct Alternative {
    std::int64_t micro_usd = 0;
    std::chrono::milliseconds latency{0};
  };
  std::optional<Alternative> alternative = std::nullopt;

  std::string key() const;  // one for each job, run and segment
};

// What rides along to everything slow.
struct Watch {
  CancelToken cancel;
  SteadyTime deadline = SteadyTime::max();
  // What an engine may take for one segment, counted from when it begins to make it: the time that
  // it waits for its turn on a shared GPU or in a server's queue is not its own.
  std::optional<std::chrono::milliseconds> limit = std::nullopt;
  std::function<void(double)> progress;  // 0..1, never called after generate() returned
  // Called now and then while the engine waits for its turn, with what for; "" when it has it.
  std::function<void(const std::string&)> waiting = nullptr;
  // Asked once it is cancelled: whether nobody will ever ask for this segment in this run again.
  // Unset is no. May block for as long as the store takes to say.
  std::function<bool()> discarded;
  std::string traceparent = "";  // header of that name for what is ordered; "" is none

  std::string trace_id() const;  // for lines of the log; "" is none
};

struct Capabilities {
  std::vector<spec::Archetype> archetypes;
  bool image_to_video = false;
  bool text_to_video = false;
  // Makes new pixels of what the image shows: not for a brand-safe image that fills the frame.
  bool redraws = false;
  int duration_seconds_max = 60;
  // Segments at once that one process asks it for: the size of the engine's pool of threads.
  int slots = 1;
  // It may wait for its turn first, and applies the watch's limit itself once it has begun.
  bool waits_for_turn = false;
  std::chrono::milliseconds latency{60'000};  // usual time from an order to its result
  std::int64_t vram_bytes = 0;                // on the GPU it shares with us; 0 is none
  std::int64_t micro_usd_per_second = 0;      // of footage
};

// What making a segment would take of an engine, told without asking its server.
struct Quote {
  std::int64_t micro_usd = 0;
  std::chrono::milliseconds duration{0};  // usual, from when it is begun to the clip
  int at_once = 1;                        // of one process, side by side
  std::string workflow;                   // whose prompt takes memory of our cards; "" is none
};

class Engine {
 public:
  virtual ~Engine() = default;

  virtual std::string_view name() const = 0;  // as presets and metrics call it
  virtual bool remote() const = 0;            // leaves this machine: never under local_only
  virtual Capabilities capabilities() const = 0;
  // kForbidden where it makes nothing of this request, beyond what suits() tells. Blocks on
  // nothing.
  virtual Result<Quote> quote(const FootageRequest& request) const;
  virtual Status health(const Watch& watch) = 0;
  virtual Result<plan::SegmentSource> generate(const FootageRequest& request,
                                               const Watch& watch) = 0;
};

// Is the file a clip worth showing: decodes from end to end, is not black? Its length in seconds,
// or kMedia saying what is wrong. A good one that does not say what its colours mean says so
// afterwards (media::tagged_clip). Blocks while it decodes.
using ClipVerifier =
    std::function<Result<double>(const std::filesystem::path&, media::UnsaidMatrix)>;

// An exchange with an engine's server that failed, as the engine's failure: what we refuse to take
// from it (a file that is too large, a link to where we don't go) is its fault and not the job's.
Failure engine_fault(Failure exchange);
// Why this engine must not be asked for this segment, or ok. Pure.
Status suits(const Engine& engine, const FootageRequest& request);
// The request that segment `index` of a spec makes; without image and output.
FootageRequest request_of(const spec::RenderSpec& spec, int index);
// Time left until the watch's deadline, at most `longest`; kTimeout when none is.
Result<std::chrono::milliseconds> time_left(const Clock& clock, const Watch& watch,
                                            std::chrono::milliseconds longest);
// The watch of work that begins now: its deadline is at most its limit away.
Watch begun(const Clock& clock, Watch watch);
// Sleeps in short slices. kCancelled or kTimeout when the watch says so meanwhile.
Status pause(Clock& clock, const Watch& watch, std::chrono::milliseconds duration);

}  // namespace pytoon::engines
