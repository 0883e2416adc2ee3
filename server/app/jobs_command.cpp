// `pytoon jobs ...`, `pytoon drain` and `pytoon capacity`: a person's view of the REST API.
#include <iomanip>
#include <iostream>

#include "base/json.h"
#include "base/text.h"
#include "server/app/answer_text.h"
#include "server/app/commands.h"
#include "server/app/with_server.h"

namespace pytoon::app {
namespace {

using Json = nlohmann::ordered_json;
using Answer = Result<Json>;

std::string cut(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 3) + "...";
}

void show_row(const Json& job) {
  constexpr std::size_t kErrorWidth = 60;
  std::cout << std::left << std::setw(38) << text_of(field(job, "job_id")) << std::setw(20)
            << text_of(field(job, "status")) << std::right << std::setw(4)
            << text_of(field(job, "progress_pct")) << " %  " << std::left << std::setw(22)
            << text_of(field(job, "preset_id")) << std::setw(29)
            << text_of(field(job, "created_at"))
            << (field(job, "error").is_null() ? "" : cut(text_of(field(job, "error")), kErrorWidth))
            << "\n";
}

void show_page(const Json& page) {
  std::cout << std::left << std::setw(38) << "JOB" << std::setw(20) << "STATUS" << std::setw(8)
            << "DONE" << std::setw(22) << "PRESET" << std::setw(29) << "CREATED"
            << "ERROR\n";
  for (const Json& job : field(page, "jobs")) show_row(job);
  if (!field(page, "next_cursor").is_null()) {
    std::cout << "more: --cursor " << text_of(field(page, "next_cursor")) << "\n";
  }
}

void show_fields(const Json& object) {
  for (const auto& [name, value] : object.items()) {
    if (value.is_array() || value.is_object()) continue;
    std::cout << std::left << std::setw(26) << name << text_of(value) << "\n";
  }
}

void show_job(const Json& job, const Json& segments) {
  show_fields(job);
  for (const Json& segment : field(segments, "segments")) {
    std::cout << "segment " << std::right << std::setw(3) << text_of(field(segment, "index"))
              << "               " << std::left << std::setw(9) << text_of(field(segment, "status"))
              << text_of(field(segment, "engine_used"))
              << (field(segment, "error").is_null() ? "" : "  " + text_of(field(segment, "error")))
              << "\n";
  }
}

void show_pools(const Json& worker) {
  for (const Json& pool : field(worker, "pools")) {
    std::cout << "  " << std::left << std::setw(24) << text_of(field(pool, "name"))
              << text_of(field(pool, "busy")) << " of " << text_of(field(pool, "threads"))
              << " threads busy";
    if (field(pool, "lost") > 0) std::cout << ", " << text_of(field(pool, "lost")) << " lost";
    if (field(pool, "breaker") == "open") std::cout << ", left alone: it failed too often";
    std::cout << "\n";
  }
}

void show_workers(const Json& capacity) {
  show_fields(capacity);
  for (const Json& worker : field(capacity, "workers")) {
    std::cout << "worker                    " << text_of(field(worker, "host")) << "/"
              << text_of(field(worker, "pid")) << ", " << text_of(field(worker, "threads"))
              << " threads, holds " << text_of(field(worker, "held")) << ", "
              << text_of(field(worker, "device"))
              << (field(worker, "draining") == true ? ", draining" : "") << "\n";
    show_pools(worker);
  }
  std::cout << gpu_lines(capacity);
}

void show_purged(const std::string& tenant, const Json& purged) {
  for (const auto& [kind, count] : field(purged, "deleted").items()) {
    std::cout << "deleted " << std::left << std::setw(20) << kind << text_of(count) << "\n";
  }
  for (const auto& [kind, count] : field(purged, "left").items()) {
    std::cout << "left    " << std::left << std::setw(20) << kind << text_of(count) << "\n";
  }
  std::cout << (field(purged, "complete") == true
                    ? "nothing of tenant " + tenant + " is left\n"
                    : "something of tenant " + tenant +
                          " is left: take its keys away, run again\n");
}

// A call of the server does a bounded part. Gives its last answer, with all that was deleted.
Answer purge_all(const Remote& remote, const std::string& tenant) {
  Json deleted = Json::object();
  for (;;) {
    Answer answer = remote.post("/api/v1/admin/purge", {{"tenant", tenant}});
    if (!answer) return answer;
    const Json part = field(*answer, "deleted");
    for (const auto& [kind, count] : part.items()) {
      deleted[kind] = deleted.value(kind, std::int64_t{0}) + count.get<std::int64_t>();
    }
    // A part that deleted nothing will not do better at once.
    if (field(*answer, "complete") != true && !part.empty()) continue;
    (*answer)["deleted"] = deleted;
    return answer;
  }
}

void show_turn(const Json& job) {
  std::cout << text_of(field(job, "job_id")) << " is " << text_of(field(job, "status")) << "\n";
}

}  // namespace

int list_jobs(const Environment& environment, const JobsListing& listing) {
  std::string path = "/api/v1/jobs?limit=" + std::to_string(listing.limit);
  if (!listing.status.empty()) path += "&status=" + percent_encode(listing.status);
  if (!listing.cursor.empty()) path += "&cursor=" + percent_encode(listing.cursor);
  return with_server(
      environment, [&](const Remote& remote) { return remote.get(path); },
      [&](const Json& page) {
        if (listing.json) {
          std::cout << json_text(page, 2) << "\n";
        } else {
          show_page(page);
        }
      });
}

int show_job(const Environment& environment, const std::string& id, bool json) {
  Json segments;
  return with_server(
      environment,
      [&](const Remote& remote) -> Answer {
        Answer job = remote.get(job_path(id));
        if (!job) return job;
        Answer parts = remote.get(job_path(id) + "/segments");
        if (!parts) return parts;
        segments = std::move(*parts);
        return job;
      },
      [&](const Json& job) {
        if (!json) return show_job(job, segments);
        Json whole = job;
        whole["segments"] = field(segments, "segments");
        std::cout << json_text(whole, 2) << "\n";
      });
}

int cancel_job(const Environment& environment, const std::string& id) {
  return with_server(
      environment, [&](const Remote& remote) { return remote.post(job_path(id) + "/cancel"); },
      show_turn);
}

int retry_job(const Environment& environment, const std::string& id) {
  return with_server(
      environment, [&](const Remote& remote) { return remote.post(job_path(id) + "/retry"); },
      show_turn);
}

int fail_job(const Environment& environment, const std::string& id, const std::string& error) {
  return with_server(
      environment,
      [&](const Remote& remote) {
        return remote.post("/api/v1/admin/jobs/" + percent_encode(id) + "/fail",
                           {{"error", error}});
      },
      show_turn);
}

int redeliver_webhook(const Environment& environment, const std::string& id) {
  return with_server(
      environment,
      [&](const Remote& remote) { return remote.post(job_path(id) + "/webhook/redeliver"); },
      [](const Json& job) {
        std::cout << "the webhook of " << text_of(field(job, "job_id")) << " is sent again\n";
      });
}

int set_draining(const Environment& environment, bool draining) {
  return with_server(
      environment,
      [&](const Remote& remote) {
        return remote.post(draining ? "/api/v1/admin/drain" : "/api/v1/admin/resume");
      },
      [](const Json& answer) {
        std::cout << (field(answer, "draining") == true
                          ? "draining: no new jobs are taken; those there are finished\n"
                          : "new jobs are taken\n");
      });
}

int purge_tenant(const Environment& environment, const std::string& tenant, bool json) {
  return with_remote(environment, [&](const Remote& remote) {
    const Answer purged = purge_all(remote, tenant);
    if (!purged) return complain(purged.failure());
    if (json) {
      std::cout << json_text(*purged, 2) << "\n";
    } else {
      show_purged(tenant, *purged);
    }
    return field(*purged, "complete") == true ? 0 : 1;
  });
}

int show_capacity(const Environment& environment, bool json) {
  return with_server(
      environment, [](const Remote& remote) { return remote.get("/api/v1/admin/capacity"); },
      [&](const Json& capacity) {
        if (json) {
          std::cout << json_text(capacity, 2) << "\n";
        } else {
          show_workers(capacity);
        }
      });
}

}  // namespace pytoon::app
