#include "server/jobs/admission/decision.h"

#include <array>
#include <cstdio>

#include "base/clock.h"

namespace pytoon::jobs::admission {
namespace {

constexpr std::array<std::string_view, 20> kReasonNames{
    "fits",           "stale_sample", "endpoint_down", "endpoint_busy", "endpoint_draining",
    "making_room",    "queued",       "reserved",      "slots",         "encoder_sessions",
    "vram_exhausted", "residue",      "trial",         "too_large",     "price",
    "deadline",       "policy",       "no_gpu",        "backlog",       "nothing_waits"};

// What people are told after the sizes, by reason; "" where the sizes say it all.
std::string_view remark_of(Reason reason) {
  switch (reason) {
    case Reason::kStaleSample:
      return "the card's memory was not measured in time";
    case Reason::kEndpointDown:
      return "ComfyUI does not answer";
    case Reason::kEndpointBusy:
      return "ComfyUI runs another prompt";
    case Reason::kEndpointDraining:
      return "a prompt has just ended and the card is measured first";
    case Reason::kMakingRoom:
      return "ComfyUI is giving its models back";
    case Reason::kQueued:
      return "prompts of the same workflow that wait longer go first";
    case Reason::kReserved:
      return "the card is kept for a larger task";
    case Reason::kSlots:
      return "this worker has as many segments there as its threads can encode";
    case Reason::kEncoderSessions:
      return "all encoder sessions of the card are open";
    case Reason::kResidue:
      return "ComfyUI did not give all of its memory back";
    case Reason::kTrial:
      return "it has waited long enough and tries with the whole card";
    case Reason::kPrice:
      return "waiting would cost more than the remote engine";
    case Reason::kDeadline:
      return "waiting would miss the deadline";
    case Reason::kPolicy:
      return "the job asks for remote engines only";
    case Reason::kNoGpu:
      return "there is no GPU";
    case Reason::kBacklog:
      return "the CPU is done sooner than the queue of the GPUs";
    case Reason::kNothingWaits:
    case Reason::kFits:
    case Reason::kVramExhausted:
    case Reason::kTooLarge:
      return "";
  }
  return "";
}

std::string prefix_of(const Decision& decision) {
  switch (decision.kind) {
    case Decision::Kind::kRun:
      return "runs with " + size_text(decision.promise) + " promised: ";
    case Decision::Kind::kMakeRoom:
      return decision.step == RoomStep::kFreeModels ? "ComfyUI's models make room: "
                                                    : "ComfyUI is restarted to make room: ";
    case Decision::Kind::kElsewhere:
      return decision.lane == Lane::kCpu ? "goes to the CPU compositor: "
                                         : "goes to a remote engine: ";
    case Decision::Kind::kWait:
    case Decision::Kind::kNever:
      return "";
  }
  return "";
}

}  // namespace

std::string_view name_of(Reason reason) {
  return kReasonNames.at(static_cast<std::size_t>(reason));
}

std::string_view name_of(Decision::Kind kind) {
  constexpr std::array<std::string_view, 5> names{"run", "wait", "make_room", "elsewhere", "never"};
  return names.at(static_cast<std::size_t>(kind));
}

std::string size_text(Bytes bytes) {
  const double mib = static_cast<double>(bytes) / static_cast<double>(kMiB);
  std::array<char, 32> text{};
  const bool large = mib >= 1024 || mib <= -1024;
  std::snprintf(text.data(), text.size(), large ? "%.1f GiB" : "%.0f MiB",
                large ? mib / 1024 : mib);
  return text.data();
}

std::string sentence(const Decision& decision) {
  // Of a wait for the endpoint nobody knows yet whose need it is.
  std::string text = prefix_of(decision);
  text += decision.need > 0 ? "needs " + size_text(decision.need) : "waits";
  if (decision.gpu.empty()) {
    if (decision.reason == Reason::kTooLarge) {
      text += "; the largest card can give " + size_text(decision.available);
    }
  } else {
    text += " on " + decision.gpu + "; " + size_text(decision.free) + " free";
    if (decision.promised > 0) text += ", " + size_text(decision.promised) + " promised to others";
    if (decision.comfyui > 0) text += ", ComfyUI holds " + size_text(decision.comfyui);
    if (decision.foreign > 0) {
      text += ", other programs hold " + size_text(decision.foreign);
    }
  }
  if (const std::string_view remark = remark_of(decision.reason); !remark.empty()) {
    text += "; ";
    text += remark;
  }
  return text;
}

}  // namespace pytoon::jobs::admission
