#include "tests/support/s3_server.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/clock.h"
#include "base/files.h"
#include "base/ids.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::support {
namespace {

constexpr int kTriesMax = 600;
constexpr std::chrono::milliseconds kNap{100};

}  // namespace

S3Server::S3Server()
    : folder_(make_temporary_folder("pytoon-s3")),
      cluster_id_(RandomIds().next()),
      monitor_port_(free_port()),
      port_(free_port()) {
  for (const char* name : {"mon", "osd", "run"}) std::filesystem::create_directory(folder_ / name);
  write_settings();
  started_ = make_cluster() && start_gateway();
  if (!started_) {
    ADD_FAILURE() << "the S3 server does not start: are ceph-mon, ceph-osd and radosgw installed?\n"
                  << log();
  }
}

S3Server::~S3Server() {
  gateway_.kill();
  disk_.kill();
  monitor_.kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string S3Server::log() const {
  const Result<std::string> text = read_file(folder_ / "log");
  if (!text) return text.failure().detail;
  return text->size() > 4000 ? text->substr(text->size() - 4000) : *text;
}

void S3Server::write_settings() const {
  const std::string folder = folder_.string();
  std::ofstream file(folder_ / "ceph.conf");
  file << "[global]\n"
       << "fsid = " << cluster_id_ << "\n"
       << "mon host = [v1:127.0.0.1:" << monitor_port_ << "]\n"
       << "public addr = 127.0.0.1\n"
          "auth cluster required = none\n"
          "auth service required = none\n"
          "auth client required = none\n"
          "ms bind msgr2 = false\n"
          "ms bind ipv6 = false\n"
          "ms type = async+posix\n"
       << "run dir = " << folder << "/run\n"
       << "crash dir = " << folder << "/run\n"
       << "keyring = " << folder << "/keyring\n"
       << "mon data = " << folder << "/mon\n"
       << "osd data = " << folder << "/osd\n"
       << "mon cluster log file = " << folder
       << "/cluster.log\n"
          "admin socket =\n"
          "log file =\n"
          "chdir = \"\"\n"
          "osd objectstore = memstore\n"
          "memstore device bytes = 2147483648\n"
          "osd pool default size = 1\n"
          "osd pool default min size = 1\n"
          "osd pool default pg num = 1\n"
          "osd pool default pg autoscale mode = off\n"
          "osd crush chooseleaf type = 0\n"
          "osd crush update on start = false\n"
          "osd class update on start = false\n"
          "mon allow pool size one = true\n"
          "mon data avail crit = 1\n"
          "[client.gateway]\n"
       << "rgw frontends = beast endpoint=127.0.0.1:" << port_ << "\n"
       << "rgw thread pool size = 32\n";
}

std::vector<std::string> S3Server::with_settings(std::vector<std::string> command) const {
  command.insert(command.begin() + 1, {"-c", (folder_ / "ceph.conf").string()});
  return command;
}

int S3Server::run(const std::vector<std::string>& command) const {
  return run_program(with_settings(command), folder_ / "log");
}

bool S3Server::make_cluster() {
  const std::string disk_id = RandomIds().next();
  const std::string map = (folder_ / "monmap").string();
  const std::string address = "[v1:127.0.0.1:" + std::to_string(monitor_port_) + "]";
  if (run({"monmaptool", "--create", "--addv", "a", address, "--fsid", cluster_id_, map}) != 0 ||
      run({"ceph-mon", "-i", "a", "--mkfs", "--monmap", map}) != 0) {
    return false;
  }
  monitor_ = ChildProcess(with_settings({"ceph-mon", "-f", "-i", "a"}), folder_ / "log");
  const std::vector<std::string> ask{"ceph", "--connect-timeout", "30", "osd"};
  const auto asked = [&](std::vector<std::string> words) {
    words.insert(words.begin(), ask.begin(), ask.end());
    return run(words) == 0;
  };
  // The disk does not register itself: it would ask before it knows the cluster's id.
  if (!asked({"new", disk_id, "0"}) ||
      !asked({"crush", "add", "osd.0", "1", "root=default", "host=h"}) ||
      run({"ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk_id, "--no-mon-config"}) != 0) {
    return false;
  }
  disk_ = ChildProcess(with_settings({"ceph-osd", "-f", "-i", "0"}), folder_ / "log");
  return true;
}

bool S3Server::start_gateway() {
  const std::vector<std::string> name{"-n", "client.gateway"};
  gateway_ = ChildProcess(with_settings({"radosgw", "-f", name[0], name[1]}), folder_ / "log");
  SystemClock clock;
  for (int i = 0; i < kTriesMax && !port_answers(port_); ++i) {
    if (!gateway_.running() || !disk_.running() || !monitor_.running()) return false;
    clock.sleep_for(kNap);
  }
  return run({"radosgw-admin", name[0], name[1], "user", "create", "--uid=test",
              "--display-name=test", std::string("--access-key=") + kKeyId,
              std::string("--secret-key=") + kSecret}) == 0;
}

}  // namespace pytoon::support
