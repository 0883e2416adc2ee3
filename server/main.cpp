// pytoon SUBCOMMAND: reads the command line and the configuration, and hands over.

#include <malloc.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <functional>
#include <iostream>

#include "base/nearest.h"
#include "server/app/commands.h"

namespace {

namespace app = pytoon::app;
using Command = std::function<int()>;

int complain(const pytoon::Failure& fault) {
  std::cerr << "pytoon: " << fault.detail << "\n";
  return 2;
}

int with_environment(const std::function<int(const app::Environment&)>& command) {
  const auto environment = app::read_environment(".env");
  return environment ? command(*environment) : complain(environment.failure());
}

int with_config(const std::function<int(const app::Config&)>& command) {
  return with_environment([&](const app::Environment& environment) {
    const pytoon::Result<app::Config> config = app::read_config(environment);
    return config ? command(*config) : complain(config.failure());
  });
}

// What the options of the command line are read into.
struct Words {
  std::string request;
  std::string out;
  std::string folder;
  std::string job;
  std::string tenant;
  std::string error = "failed by an operator";
  std::string key;
  app::NewKeyWords new_key;
  int grace_seconds = 0;
  int waiting = 0;
  app::JobsListing listing;
  bool json = false;
  bool force = false;
  bool resume = false;
  bool watch = false;
};

CLI::App* add(CLI::App& parent, const std::string& name, const std::string& help, Command& chosen,
              Command command) {
  CLI::App* sub = parent.add_subcommand(name, help);
  sub->callback([&chosen, command = std::move(command)] { chosen = command; });
  return sub;
}

void add_servers(CLI::App& root, Command& chosen) {
  add(root, "serve", "Run API and workers in one process", chosen,
      [] { return with_config(app::serve); });
  add(root, "api", "Run the API alone (PostgreSQL)", chosen, [] { return with_config(app::api); });
  add(root, "worker", "Run workers alone (PostgreSQL)", chosen,
      [] { return with_config(app::worker); });
}

void add_tools(CLI::App& root, Words& words, Command& chosen) {
  CLI::App* render = add(root, "render", "Render one request without a server", chosen, [&words] {
    return with_config([&words](const app::Config& config) {
      return app::render_request(config, words.request, words.out);
    });
  });
  render
      ->add_option(
          "request", words.request,
          "JSON file: the body of POST /api/v1/jobs, with paths in image_uris, clip_uris, mask_uri")
      ->required();
  render
      ->add_option("--out", words.out,
                   "Folder for output.mp4, thumbnail.jpg, metadata.json, segments/")
      ->required();
  // Started by the program itself, not by people.
  CLI::App* decoders = add(root, "decode-files", "Host decoders", chosen,
                           [&words] { return app::decode_files(words.waiting); });
  decoders->group("");
  decoders->add_option("waiting", words.waiting)->required();
  add(root, "doctor", "Say what this machine has and lacks", chosen,
      [] { return with_config(app::doctor); });
  CLI::App* presets = add(root, "presets", "List the presets", chosen, [&words] {
    return with_config(
        [&words](const app::Config& config) { return app::list_presets(config, words.json); });
  });
  presets->add_flag("--json", words.json, "As GET /api/v1/presets answers");
  add(root, "version", "Print the version", chosen, [] {
    std::cout << "pytoon " PYTOON_VERSION "\n";
    return 0;
  });
}

void add_config(CLI::App& root, Words& words, Command& chosen) {
  CLI::App* group = root.add_subcommand("config", "Check the settings, and show what holds");
  group->require_subcommand(1);
  add(*group, "check", "Ends with 0, or with one line that names what is wrong", chosen,
      [] { return with_config(app::check_config); });
  CLI::App* show =
      add(*group, "show", "Every value, and where it comes from; secrets masked", chosen, [&words] {
        return with_config(
            [&words](const app::Config& config) { return app::show_config(config, words.json); });
      });
  show->add_flag("--json", words.json, "As JSON");
  add(*group, "page", "The page docs/configuration.md", chosen,
      [] { return with_config(app::print_settings_page); });
}

void add_backup(CLI::App& root, Words& words, Command& chosen) {
  CLI::App* backup =
      add(root, "backup", "Copy database and storage while the service runs", chosen, [&words] {
        return with_config(
            [&words](const app::Config& config) { return app::back_up(config, words.folder); });
      });
  backup->add_option("folder", words.folder, "Empty, or not there yet")->required();
  CLI::App* restore =
      add(root, "restore", "Put a backup back, the service being stopped", chosen, [&words] {
        return with_config([&words](const app::Config& config) {
          return app::restore(config, words.folder, words.force);
        });
      });
  restore->add_option("folder", words.folder, "Made by pytoon backup")->required();
  restore->add_flag("--force", words.force, "Also over what is there");
}

// A command about one job.
void add_turn(CLI::App& jobs, const std::string& name, const std::string& help, Words& words,
              Command& chosen, int (*turn)(const app::Environment&, const std::string&)) {
  add(jobs, name, help, chosen,
      [&words, turn] {
        return with_environment(
            [&](const app::Environment& environment) { return turn(environment, words.job); });
      })
      ->add_option("job", words.job)
      ->required();
}

void add_making(CLI::App& root, Words& words, Command& chosen) {
  CLI::App* submit =
      add(root, "submit", "Upload a request's files to a running server and submit it", chosen,
          [&words] {
            return with_environment([&words](const app::Environment& environment) {
              return app::submit_request(environment, {words.request, words.watch, words.out});
            });
          });
  submit->add_option("request", words.request, "JSON file, as of pytoon render")->required();
  submit->add_flag("--watch", words.watch, "Show progress until it has ended");
  submit->add_option("--out", words.out, "Watch it, and save the video there");
  CLI::App* watch =
      add(root, "watch", "Show a job's progress until it has ended", chosen, [&words] {
        return with_environment([&words](const app::Environment& environment) {
          return app::watch_job(environment, words.job, words.out);
        });
      });
  watch->add_option("job", words.job)->required();
  watch->add_option("--out", words.out, "Save the video there");
  add(root, "mcp", "Offer a running server to an assistant (Model Context Protocol, stdio)", chosen,
      [] { return with_environment(app::serve_mcp); });
}

void add_jobs(CLI::App& root, Words& words, Command& chosen) {
  CLI::App* jobs = root.add_subcommand("jobs", "Ask a running server about jobs, and change them");
  jobs->require_subcommand(1);
  CLI::App* list = add(*jobs, "list", "Newest first", chosen, [&words] {
    return with_environment([&words](const app::Environment& environment) {
      return app::list_jobs(environment, words.listing);
    });
  });
  list->add_option("--status", words.listing.status, "Only of this status, such as FAILED");
  list->add_option("--cursor", words.listing.cursor, "Where the page before ended");
  list->add_option("--limit", words.listing.limit, "Jobs a page")->check(CLI::Range(1, 200));
  list->add_flag("--json", words.listing.json, "As the API answers");
  CLI::App* show = add(*jobs, "show", "One job and its segments", chosen, [&words] {
    return with_environment([&words](const app::Environment& environment) {
      return app::show_job(environment, words.job, words.json);
    });
  });
  show->add_option("job", words.job)->required();
  show->add_flag("--json", words.json, "As the API answers");
  add_turn(*jobs, "cancel", "Stop it", words, chosen, app::cancel_job);
  add_turn(*jobs, "retry", "Run a failed one again, keeping finished segments", words, chosen,
           app::retry_job);
  add_turn(*jobs, "redeliver", "Send its webhook again", words, chosen, app::redeliver_webhook);
  CLI::App* fail = add(*jobs, "fail", "Force-fail a stuck one (admin)", chosen, [&words] {
    return with_environment([&words](const app::Environment& environment) {
      return app::fail_job(environment, words.job, words.error);
    });
  });
  fail->add_option("job", words.job)->required();
  fail->add_option("--error", words.error, "Why");
}

void add_new_key(CLI::App& keys, Words& words, Command& chosen) {
  CLI::App* create = add(keys, "create", "Print a new key, this once", chosen, [&words] {
    return with_environment([&words](const app::Environment& environment) {
      return app::create_key(environment, words.new_key);
    });
  });
  create->add_option("--tenant", words.new_key.tenant, "Whose jobs and files it sees")->required();
  create->add_option("--scopes", words.new_key.scopes, "Of submit, read and admin, with commas");
  create->add_option("--name", words.new_key.name, "What you call it");
  create->add_option("--plan", words.new_key.plan, "Whose limits hold for it");
  create->add_option("--expires-in-days", words.new_key.days, "Else it has no end")
      ->check(CLI::Range(1, 3650));
}

void add_keys(CLI::App& root, Words& words, Command& chosen) {
  CLI::App* keys = root.add_subcommand("keys", "API keys of a running server (admin)");
  keys->require_subcommand(1);
  add(*keys, "list", "All that were made, newest first", chosen, [&words] {
    return with_environment([&words](const app::Environment& environment) {
      return app::list_keys(environment, words.json);
    });
  })->add_flag("--json", words.json, "As the API answers");
  add_new_key(*keys, words, chosen);
  CLI::App* rotate =
      add(*keys, "rotate", "Print another key with the same rights", chosen, [&words] {
        return with_environment([&words](const app::Environment& environment) {
          return app::rotate_key(environment, words.key, words.grace_seconds);
        });
      });
  rotate->add_option("key", words.key, "Its id, as in the list")->required();
  rotate->add_option("--grace-seconds", words.grace_seconds, "How long the old one goes on")
      ->check(CLI::Range(0, 30 * 86400));
  CLI::App* revoke = add(*keys, "revoke", "End it, for ever, within seconds", chosen, [&words] {
    return with_environment([&words](const app::Environment& environment) {
      return app::revoke_key(environment, words.key);
    });
  });
  revoke->add_option("key", words.key, "Its id, as in the list")->required();
}

void add_fleet(CLI::App& root, Words& words, Command& chosen) {
  CLI::App* drain = add(root, "drain", "Take no new jobs (admin)", chosen, [&words] {
    return with_environment([&words](const app::Environment& environment) {
      return app::set_draining(environment, !words.resume);
    });
  });
  drain->add_flag("--resume", words.resume, "Take them again");
  CLI::App* capacity =
      add(root, "capacity", "Workers, backlog and dead letters (admin)", chosen, [&words] {
        return with_environment([&words](const app::Environment& environment) {
          return app::show_capacity(environment, words.json);
        });
      });
  capacity->add_flag("--json", words.json, "As the API answers");
  CLI::App* purge =
      add(root, "purge", "Erase all that a tenant stored, and verify it (admin)", chosen, [&words] {
        return with_environment([&words](const app::Environment& environment) {
          return app::purge_tenant(environment, words.tenant, words.json);
        });
      });
  purge->add_option("--tenant", words.tenant, "As in its keys; its live jobs are cancelled")
      ->required();
  purge->add_flag("--json", words.json, "As the API answers");
}

// Encoders and decoders come and go, on threads that do so too, with tens of megabytes each. Large
// blocks are mapped for themselves, so that they go back to the system and don't pile up in the
// heaps of threads: a fifth of a job's peak memory, for about 2 % of its CPU time.
void spare_memory() { ::mallopt(M_MMAP_THRESHOLD, 1 << 20); }

// What a word that is neither a command nor a flag was probably meant to be.
void suggest(const CLI::App& root, int argc, char** argv) {
  const CLI::App* command = &root;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    std::vector<std::string> names;
    for (const CLI::App* const sub : command->get_subcommands({})) names.push_back(sub->get_name());
    if (std::find(names.begin(), names.end(), word) != names.end()) {
      command = command->get_subcommand(word);
      continue;
    }
    if (word.starts_with("--")) names.clear();
    for (const CLI::Option* const option : command->get_options()) {
      if (word.starts_with("--")) names.push_back(option->get_name());
    }
    const auto name = pytoon::nearest(word, names);
    if (!name || *name == word) continue;
    std::cerr << "Did you mean '" << *name << "'?\n";
    return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  spare_memory();
  CLI::App root("Pytoon turns product images and a few lines of text into finished videos.",
                "pytoon");
  root.require_subcommand(1);
  root.footer("Settings come from the environment and from .env: see .env.example.");
  Words words;
  Command chosen;
  add_servers(root, chosen);
  add_tools(root, words, chosen);
  add_making(root, words, chosen);
  add_jobs(root, words, chosen);
  add_keys(root, words, chosen);
  add_fleet(root, words, chosen);
  add_config(root, words, chosen);
  add_backup(root, words, chosen);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    constexpr int kWrongUsage = 2;  // --help and --version are no fault
    const bool wrong = root.exit(error) != 0;
    if (wrong) suggest(root, argc, argv);
    return wrong ? kWrongUsage : 0;
  }
  return chosen();
}
