// What `pytoon SUBCOMMAND` does. Each returns the process's exit status: 0 done, 1 it failed, 2 the
// call or the configuration was wrong, 75 only a new process helps (jobs/process_health.h). Errors
// go to standard error as one line.
#pragma once

#include <filesystem>
#include <string>

#include "server/app/config.h"

namespace pytoon::app {

// API and workers in one process until SIGINT or SIGTERM.
int serve(const Config& config);
// The API alone, and the workers alone: on PostgreSQL, any number of each. Within 30 s of SIGTERM
// they have handed back what they held and are gone.
int api(const Config& config);
int worker(const Config& config);

// One job without a server: checks the request's files as an upload would, renders, writes the
// job's files into `out`. Shows progress when standard error is a terminal.
int render_request(const Config& config, const std::filesystem::path& request,
                   const std::filesystem::path& out);
// What this machine has, each ok or why not. 0 when the main job can run.
int doctor(const Config& config);
// Hosts decoders for the process that started it (pipeline/media/decoder/decoder_host.h).
int decode_files(int waiting);
// Says that the configuration is sound: who gets here has read all of it.
int check_config(const Config& config);
// Every setting with the value that holds and where it comes from; secrets are masked.
int show_config(const Config& config, bool json);
// docs/configuration.md.
int print_settings_page(const Config& config);
// The presets as a table, or as JSON.
int list_presets(const Config& config, bool json);

// Copies database and storage into a folder that is empty or not there, with checksums, while the
// service runs.
int back_up(const Config& config, const std::filesystem::path& folder);
// Puts such a folder back. Refuses while the service runs, and, without `force`, a place that is
// not empty.
int restore(const Config& config, const std::filesystem::path& folder, bool force);

// Asked of a running server over REST (server/app/remote.h).
struct JobsListing {
  std::string status;
  std::string cursor;
  int limit = 50;
  bool json = false;
};
struct Submission {
  std::filesystem::path request;  // as of render_request()
  bool watch = false;
  std::filesystem::path out;  // for the video, once it is done; empty: it is left there
};
// Uploads the request's files, submits it and prints the job's id.
int submit_request(const Environment& environment, const Submission& submission);
// Shows progress until the job has ended, and saves its video. 1 when it did not end DONE.
int watch_job(const Environment& environment, const std::string& id,
              const std::filesystem::path& out);
// Offers tools to an assistant over standard input and output (Model Context Protocol).
int serve_mcp(const Environment& environment);
int list_jobs(const Environment& environment, const JobsListing& listing);
int show_job(const Environment& environment, const std::string& id, bool json);
int cancel_job(const Environment& environment, const std::string& id);
int retry_job(const Environment& environment, const std::string& id);
int fail_job(const Environment& environment, const std::string& id, const std::string& error);
int redeliver_webhook(const Environment& environment, const std::string& id);
int list_keys(const Environment& environment, bool json);
struct NewKeyWords {
  std::string tenant;
  std::string scopes = "submit,read";
  std::string name;
  std::string plan;
  int days = 0;  // until it expires; 0: never
};
// The new key is all that goes to standard output.
int create_key(const Environment& environment, const NewKeyWords& words);
int rotate_key(const Environment& environment, const std::string& id, int grace_seconds);
int revoke_key(const Environment& environment, const std::string& id);
int set_draining(const Environment& environment, bool draining);
// Erases all that a tenant stored, and says what was deleted and what is left. 1 while anything is.
int purge_tenant(const Environment& environment, const std::string& tenant, bool json);
int show_capacity(const Environment& environment, bool json);

}  // namespace pytoon::app
