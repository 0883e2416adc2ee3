// The thread pools of the HTTP server, one a purpose, so that none can starve another: eight
// uploads that are being decoded, or eight objects on their way from S3, stop no status read.
//
//   api        what asks the database: status, lists, submissions, operators; event streams begin
//              here
//   uploads    writing the bytes of uploads to the disk, then decoding them
//   downloads  finding the file of an answer, which may have to be fetched from the object store
//   previews   drawing single frames
//
// A request whose pool has no room left in its queue is refused at once, 503 with Retry-After.
//
// Thread rule: any thread; stop() by one.
#pragma once

#include <vector>

#include "base/check.h"
#include "server/http/handler_pool.h"

namespace pytoon::http {

// Which threads answer a route.
enum class Purpose {
  kImmediate,  // the thread that reads the sockets: the handler neither blocks nor computes
  kApi,
  kUpload,
  kDownload,
  kPreview,
};

struct PoolSizes {
  PoolSize api{8, 2048};
  PoolSize uploads{2, 256};  // decoding is work for a core
  PoolSize downloads{4, 512};
  PoolSize previews{1, 16};  // drawing is work for a core, and nobody waits long for a preview
};

class HandlerPools {
 public:
  HandlerPools(const PoolSizes& sizes, Log& log)
      : api_("http_api", sizes.api, log),
        uploads_("http_uploads", sizes.uploads, log),
        downloads_("http_downloads", sizes.downloads, log),
        previews_("http_previews", sizes.previews, log) {}

  // Not of kImmediate.
  HandlerPool& of(Purpose purpose) {
    CHECK(purpose != Purpose::kImmediate, "no pool answers an immediate route");
    if (purpose == Purpose::kUpload) return uploads_;
    if (purpose == Purpose::kPreview) return previews_;
    return purpose == Purpose::kDownload ? downloads_ : api_;
  }
  std::vector<jobs::PoolState> states() const {
    return {api_.state(), uploads_.state(), downloads_.state(), previews_.state()};
  }
  void stop() {
    for (HandlerPool* pool : {&api_, &uploads_, &downloads_, &previews_}) pool->stop();
  }

 private:
  HandlerPool api_;
  HandlerPool uploads_;
  HandlerPool downloads_;
  HandlerPool previews_;
};

}  // namespace pytoon::http
