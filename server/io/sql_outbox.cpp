// SqlStore: what is told to the outside. Triggers write the events, together with the ends they
// tell of; here they are handed out and settled.
#include <algorithm>

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
  if (tenants_left_out > 0) {
    others =
        "AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = outbox.job_id AND jobs.tenant IN (" +
        parameters(tenants_left_out) + ")) ";
  }
  return "SELECT id, job_id, url, status, error, fallback_used, fallback_reason, attempts, "
         "created_at, (SELECT tenant FROM jobs WHERE jobs.id = outbox.job_id), "
         "(SELECT traceparent FROM jobs WHERE jobs.id = outbox.job_id) FROM outbox "
         "WHERE state = 'pending' AND due_at <= ? " +
         others + "ORDER BY due_at, id LIMIT ? {FOR UPDATE SKIP LOCKED}";
}

// An event that is being sent waits in the record, leased.
std::string_view stored_name(jobs::DeliveryState state) {
  return name_of(state == jobs::DeliveryState::kSending ? jobs::DeliveryState::kPending : state);
}

std::string select_deliveries(const jobs::DeliveryQuery& query) {
  std::string where;
  if (!query.job_id.empty()) where += " AND job_id = ?";
  if (query.state) where += " AND state = ?";
  if (query.state == jobs::DeliveryState::kSending) where += " AND sending = 1";
  return "SELECT id, job_id, (SELECT tenant FROM jobs WHERE jobs.id = outbox.job_id), url, status, "
         "state, attempts, last_error, tried_at, due_at, sending, created_at FROM outbox "
         "WHERE true" +
         where + " ORDER BY created_at DESC, id DESC LIMIT ?";
}

// One whose sender died with it counts as waiting once its lease has run out.
jobs::Delivery read_delivery(const Row& row, std::int64_t now) {
  const auto status = jobs::job_status_from_name(row.text(4));
  const auto state = jobs::delivery_state_from_name(row.text(5));
  if (!status || !state) {
    throw DatabaseError(FailureKind::kInternal, "event " + row.text(0) + " has no known state");
  }
  jobs::Delivery delivery;
  delivery.event_id = row.text(0);
  delivery.job_id = row.text(1);
  delivery.tenant = row.text(2);
  delivery.url = row.text(3);
  delivery.type = jobs::event_type(*status);
  delivery.state = *state;
  delivery.attempts = row.small(6);
  delivery.last_error = row.text(7);
  if (row.integer(8) > 0) delivery.tried_at = time_from(row.integer(8));
  const std::int64_t due_at = row.integer(9);
  if (*state == jobs::DeliveryState::kPending) {
    if (row.integer(10) != 0 && due_at > now) {
      delivery.state = jobs::DeliveryState::kSending;
    } else {
      delivery.next_try_at = time_from(std::max(due_at, row.integer(11)));
    }
  }
  delivery.created_at = time_from(row.integer(11));
  return delivery;
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
      session.run(
          "UPDATE outbox SET attempts = ?, epoch = ?, due_at = ?, tried_at = ?, sending = 1 "
          "WHERE id = ?",
          {event.attempts, event.epoch, session.now() + micros(request.lease), session.now(),
           event.id});
      events.push_back(std::move(event));
    }
    return events;
  });
}

Status SqlStore::conclude_event(const Event& event, const EventConclusion& conclusion) {
  return writing("conclude_event", [&](SqlSession& session) -> Status {
    const std::int64_t changed = session.run(
        "UPDATE outbox SET state = ?, due_at = ?, sending = 0, last_error = CASE WHEN ? = '' THEN "
        "last_error ELSE ? END WHERE id = ? AND epoch = ? AND state = 'pending'",
        {conclusion.state, session.now() + micros(conclusion.delay), conclusion.error,
         conclusion.error, event.id, event.epoch});
    if (changed == 0) {
      return failure(FailureKind::kConflict, "event " + event.id + " was handed out again");
    }
    if (!conclusion.dead_letter.empty()) {
      add_dead_letter(session, event.job_id, event.id, conclusion.dead_letter);
    }
    return ok_status();
  });
}

Status SqlStore::event_delivered(const Event& event) {
  return conclude_event(event, {.state = "delivered"});
}

Status SqlStore::event_put_off(const Event& event, milliseconds delay, const std::string& reason) {
  return conclude_event(event, {.state = "pending", .delay = delay, .error = reason});
}

Status SqlStore::event_given_up(const Event& event, const std::string& cause) {
  const std::string known = cause.empty() ? "no cause was given" : cause;
  return conclude_event(event, {.state = "given_up", .error = known, .dead_letter = known});
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
    session.run(
        "UPDATE outbox SET state = 'pending', attempts = 0, sending = 0, last_error = '', due_at = "
        "? WHERE id = ?",
        {session.now(), last[0].text(0)});
    return ok_status();
  });
}

Result<std::vector<jobs::Delivery>> SqlStore::deliveries(const jobs::DeliveryQuery& query) {
  std::vector<Param> params;
  if (!query.job_id.empty()) params.emplace_back(query.job_id);
  if (query.state) params.emplace_back(stored_name(*query.state));
  params.emplace_back(std::int64_t{query.limit});
  return reading([&](SqlSession& session) -> Result<std::vector<jobs::Delivery>> {
    std::vector<jobs::Delivery> found;
    for (const Row& row : session.query_with(select_deliveries(query), params)) {
      found.push_back(read_delivery(row, session.now()));
    }
    return found;
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
