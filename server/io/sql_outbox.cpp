// SqlStore: what is told to the outside. Triggers write the events, together with the ends they
// tell of; here they are handed out and settled.
#include "server/io/sql_writing.h"
#include "server/jobs/job_trace.h"
#include "server/jobs/store_rules.h"

namespace pytoon::io {
using jobs::Event;
using std::chrono::milliseconds;

namespace {

Event read_event(const Row& row) {
  jobs::JobEnd end;
  end.job_id = row.text(1);
  const auto status = jobs::job_status_from_name(row.text(3));
  if (!status || !is_terminal(*status)) {
    throw DatabaseError(FailureKind::kInternal, "event " + row.text(0) + " tells of no end");
  }
  end.status = *status;
  end.error = row.text(4);
  end.fallback_used = row.integer(5) != 0;
  end.fallback_reason = row.text(6);
  end.at = time_from(row.integer(8));
  Event event;
  event.id = row.text(0);
  event.job_id = end.job_id;
  event.url = row.text(2);
  event.type = jobs::event_type(end.status);
  event.body = jobs::event_body(end);
  event.attempts = row.small(7);
  event.created_at = end.at;
  event.tenant = row.text(9);
  event.traceparent = to_traceparent(jobs::trace_of(end.job_id, row.text(10)));
  return event;
}

std::string select_due(std::size_t tenants_left_out) {
  std::string others;
  for (std::size_t i = 0; i < tenants_left_out; ++i) others += i == 0 ? "?" : ", ?";
  if (!others.empty()) {
    others =
        "AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = outbox.job_id AND jobs.tenant IN (" +
        others + ")) ";
  }
  return "SELECT id, job_id, url, status, error, fallback_used, fallback_reason, attempts, "
         "created_at, (SELECT tenant FROM jobs WHERE jobs.id = outbox.job_id), "
         "(SELECT traceparent FROM jobs WHERE jobs.id = outbox.job_id) FROM outbox "
         "WHERE state = 'pending' AND due_at <= ? " +
         others + "ORDER BY due_at, id LIMIT ? {FOR UPDATE SKIP LOCKED}";
}

}  // namespace

Result<std::vector<Event>> SqlStore::take_events(const jobs::EventRequest& request) {
  const Result<bool> due = reading([](SqlSession& session) -> Result<bool> {
    return !session
                .query("SELECT 1 FROM outbox WHERE state = 'pending' AND due_at <= ? LIMIT 1",
                       {session.now()})
                .empty();
  });
  if (!due) return due.failure();
  if (!*due) return std::vector<Event>();
  return writing("take_events", [&](SqlSession& session) -> Result<std::vector<Event>> {
    std::vector<Event> events;
    std::vector<Param> params{session.now()};
    params.insert(params.end(), request.tenants_left_out.begin(), request.tenants_left_out.end());
    params.emplace_back(std::int64_t{request.limit});
    for (const Row& row : session.query_with(select_due(request.tenants_left_out.size()), params)) {
      Event event = read_event(row);
      ++event.attempts;
      event.epoch = session.next_epoch();
      session.run("UPDATE outbox SET attempts = ?, epoch = ?, due_at = ? WHERE id = ?",
                  {event.attempts, event.epoch, session.now() + micros(request.lease), event.id});
      events.push_back(std::move(event));
    }
    return events;
  });
}

Status SqlStore::conclude_event(const Event& event, const char* state, milliseconds delay,
                                const std::string& cause) {
  return writing("conclude_event", [&](SqlSession& session) -> Status {
    const std::int64_t changed = session.run(
        "UPDATE outbox SET state = ?, due_at = ? WHERE id = ? AND epoch = ? AND state = 'pending'",
        {std::string_view(state), session.now() + micros(delay), event.id, event.epoch});
    if (changed == 0) {
      return failure(FailureKind::kConflict, "event " + event.id + " was handed out again");
    }
    if (!cause.empty()) add_dead_letter(session, event.job_id, event.id, cause);
    return ok_status();
  });
}

Status SqlStore::event_delivered(const Event& event) {
  return conclude_event(event, "delivered", {}, "");
}

Status SqlStore::event_put_off(const Event& event, milliseconds delay) {
  return conclude_event(event, "pending", delay, "");
}

Status SqlStore::event_given_up(const Event& event, const std::string& cause) {
  return conclude_event(event, "given_up", {}, cause.empty() ? "no cause was given" : cause);
}

Status SqlStore::redeliver(const std::string& job_id) {
  return writing("redeliver", [&](SqlSession& session) -> Status {
    const Rows last = session.query(
        "SELECT id FROM outbox WHERE job_id = ? ORDER BY created_at DESC, id DESC LIMIT 1 "
        "{FOR UPDATE}",
        {job_id});
    if (last.empty()) {
      return failure(FailureKind::kNotFound, "job " + job_id + " has told nothing to a webhook");
    }
    session.run("UPDATE outbox SET state = 'pending', attempts = 0, due_at = ? WHERE id = ?",
                {session.now(), last[0].text(0)});
    return ok_status();
  });
}

Result<std::vector<jobs::DeadLetter>> SqlStore::dead_letters(int limit) {
  return reading([&](SqlSession& session) -> Result<std::vector<jobs::DeadLetter>> {
    std::vector<jobs::DeadLetter> letters;
    for (const Row& row : session.query(
             "SELECT job_id, event_id, cause, at FROM dead_letters ORDER BY seq DESC LIMIT ?",
             {limit})) {
      letters.push_back({row.text(0), row.text(1), row.text(2), time_from(row.integer(3))});
    }
    return letters;
  });
}

}  // namespace pytoon::io
