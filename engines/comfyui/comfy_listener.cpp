#include "engines/comfyui/comfy_listener.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pytoon::engines {
namespace {

constexpr std::chrono::milliseconds kSlice{100};

}  // namespace

void ComfyListener::open(ComfyServer& server, const std::string& client_id, const Watch& watch) {
  origin_ = server.base().origin;
  Result<std::unique_ptr<WebSocket>> socket = server.listen(client_id, watch);
  if (!socket) return give_up(socket.failure());
  socket_ = std::move(*socket);
}

void ComfyListener::follow(const Json& graph, const std::string& prompt_id) {
  progress_.emplace(graph, prompt_id);
}

void ComfyListener::give_up(const Failure& failure) {
  socket_.reset();
  if (failure.kind == FailureKind::kCancelled || told_.exchange(true)) return;
  log_.warning("comfyui_progress_lost",
               {{"server", origin_}, {"reason", failure.detail}, {"instead", "polling"}});
}

void ComfyListener::hear(std::chrono::milliseconds duration, const Watch& watch) {
  const auto message = socket_->next(duration, watch.cancel);
  if (!message) return give_up(message.failure());
  if (!*message) return;
  told_ = false;
  if (!(*message)->text || !progress_) return;  // a preview
  const double before = progress_->share();
  progress_->take((*message)->data);
  if (watch.progress && progress_->share() > before) watch.progress(progress_->share());
}

Result<bool> ComfyListener::wait(std::chrono::milliseconds duration, const Watch& watch) {
  const SteadyTime until = clock_.steady_now() + duration;
  for (;;) {
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.steady_now());
    if (rest.count() <= 0) return false;
    const Result<std::chrono::milliseconds> slice =
        time_left(clock_, watch, std::min(rest, kSlice));
    if (!slice) return slice.failure();
    if (!socket_) {
      if (Status waited = pause(clock_, watch, *slice); !waited) return waited.failure();
      continue;
    }
    hear(*slice, watch);
    if (progress_ && progress_->ended() && !end_used_) {
      end_used_ = true;
      return true;
    }
  }
}

}  // namespace pytoon::engines
