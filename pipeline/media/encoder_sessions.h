// How many hardware encoders may be open at once on one GPU: cards allow a few sessions each (some
// as few as three for all processes together), and nothing tells the number but a refusal.
//
// A caller takes a session, opens its encoder, and keeps the session until the encoder is closed.
// Who finds no session free waits. When the card refuses one although we counted it free,
// retreat() learns the limit from what was open at that moment; it holds until all are closed.
//
// Thread rule: any thread. acquire() blocks, and looks at its cancel token every 50 ms.
#pragma once

#include <condition_variable>
#include <limits>
#include <memory>
#include <mutex>

#include "base/cancel.h"
#include "base/result.h"

namespace pytoon::media {

class EncoderSessions {
 public:
  // One session, given back when the object goes.
  class Session {
   public:
    Session() = default;
    explicit Session(EncoderSessions& from) : from_(&from) {}
    Session(Session&&) = default;
    Session& operator=(Session&&) = default;

   private:
    struct GiveBack {
      void operator()(EncoderSessions* from) const { from->give_back(); }
    };
    std::unique_ptr<EncoderSessions, GiveBack> from_;
  };

  // 0: as many as the card allows.
  explicit EncoderSessions(int most);
  EncoderSessions(const EncoderSessions&) = delete;
  EncoderSessions& operator=(const EncoderSessions&) = delete;

  // kCancelled.
  Result<Session> acquire(const CancelToken& cancel);
  // The card refused this one. True: others of ours are open, acquire() waits for one of them.
  // False: it was our only one, so waiting here would not help.
  bool retreat(Session refused);

  int open() const;
  int limit() const;  // what is known now; the largest int when nothing is

 private:
  void give_back();

  const int most_;
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  int limit_;     // guarded by mutex_
  int open_ = 0;  // guarded by mutex_
};

}  // namespace pytoon::media
