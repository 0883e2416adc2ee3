// The files that ship Pytoon agree with each other: ports, users, paths, names, packages. They
// can't be run by the tests, so this reads them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "base/files.h"
#include "base/yaml.h"

namespace pytoon {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

const fs::path kRoot = PYTOON_SOURCE_DIR;

Json yaml(const std::string& path) {
  Result<Json> read = read_yaml(kRoot / path);
  EXPECT_TRUE(read.ok()) << path << ": " << (read ? "" : read.failure().detail);
  return read ? *read : Json();
}

std::string text(const std::string& path) {
  Result<std::string> read = read_file(kRoot / path);
  EXPECT_TRUE(read.ok()) << path;
  return read ? *read : std::string();
}

std::string first_match(const std::string& text, const std::string& pattern) {
  std::smatch match;
  return std::regex_search(text, match, std::regex(pattern)) ? match[1].str() : std::string();
}

Json pod() { return yaml("k8s/deployment.yaml").at("spec").at("template").at("spec"); }
Json container() { return pod().at("containers").at(0); }

// Mount path -> name of the volume.
std::map<std::string, std::string> mounts() {
  std::map<std::string, std::string> found;
  const Json inside = container();
  for (const Json& mount : inside.at("volumeMounts")) {
    found[mount.at("mountPath").get<std::string>()] = mount.at("name").get<std::string>();
  }
  return found;
}

Json volume(const std::string& name) {
  const Json whole = pod();
  for (const Json& volume : whole.at("volumes")) {
    if (volume.at("name") == name) return volume;
  }
  return {};
}

std::set<std::string> packages(const std::string& group) {
  std::set<std::string> found;
  std::istringstream lines(text("scripts/packages.txt"));
  std::string current;
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find('#'));
    line.erase(std::remove_if(line.begin(), line.end(), ::isspace), line.end());
    if (line.empty()) continue;
    if (line.front() == '[') {
      current = line.substr(1, line.size() - 2);
    } else if (current == group) {
      found.insert(line);
    }
  }
  return found;
}

TEST(Deploy, OnePortEverywhere) {
  const std::string docker = text("docker/Dockerfile");
  const std::string port = first_match(docker, "\\nEXPOSE (\\d+)\\n");
  ASSERT_FALSE(port.empty());
  EXPECT_EQ(first_match(docker, "API_PORT=(\\d+)"), port);
  EXPECT_EQ(first_match(docker, "http://127.0.0.1:(\\d+)/health"), port);
  const Json compose = yaml("docker/compose.yaml").at("services").at("pytoon");
  EXPECT_EQ(first_match(compose.at("ports").at(0), ":(\\d+)$"), port);
  const Json ports = container().at("ports").at(0);
  EXPECT_EQ(std::to_string(ports.at("containerPort").get<int>()), port);
  const std::string name = ports.at("name");
  EXPECT_EQ(yaml("k8s/service.yaml").at("spec").at("ports").at(0).at("targetPort"), name);
  for (const char* probe : {"startupProbe", "livenessProbe", "readinessProbe"}) {
    EXPECT_EQ(container().at(probe).at("httpGet").at("port"), name) << probe;
  }
  const Json deployment = yaml("k8s/deployment.yaml");
  const Json& pod_metadata = deployment.at("spec").at("template").at("metadata");
  EXPECT_EQ(pod_metadata.at("annotations").at("prometheus.io/port"), port);
}

TEST(Deploy, ProbesAskTheRightQuestions) {
  EXPECT_EQ(container().at("startupProbe").at("httpGet").at("path"), "/health");
  EXPECT_EQ(container().at("livenessProbe").at("httpGet").at("path"), "/health");
  EXPECT_EQ(container().at("readinessProbe").at("httpGet").at("path"), "/ready");
}

TEST(Deploy, OneUserWithoutRights) {
  const std::string docker = text("docker/Dockerfile");
  const std::string user = first_match(docker, "\\nUSER (\\d+):\\d+\\n");
  EXPECT_EQ(first_match(docker, "useradd [^\\n]*--uid (\\d+)"), user);
  const Json context = pod().at("securityContext");
  for (const char* field : {"runAsUser", "runAsGroup", "fsGroup"}) {
    EXPECT_EQ(std::to_string(context.at(field).get<int>()), user) << field;
  }
  EXPECT_EQ(context.at("runAsNonRoot"), true);
  const Json inner = container().at("securityContext");
  EXPECT_EQ(inner.at("readOnlyRootFilesystem"), true);
  EXPECT_EQ(inner.at("allowPrivilegeEscalation"), false);
  EXPECT_EQ(inner.at("capabilities").at("drop"), Json::array({"ALL"}));
  const Json compose = yaml("docker/compose.yaml").at("services").at("pytoon");
  EXPECT_EQ(compose.at("read_only"), true);
  EXPECT_EQ(compose.at("cap_drop"), Json::array({"ALL"}));
}

TEST(Deploy, WhatIsWrittenIsMounted) {
  const std::string docker = text("docker/Dockerfile");
  const std::string data = first_match(docker, "\\nVOLUME (\\S+)\\n");
  const std::string cache = first_match(docker, "PYTOON_CACHE_DIR=(\\S+)");
  ASSERT_FALSE(data.empty());
  ASSERT_FALSE(cache.empty());
  EXPECT_EQ(first_match(docker, "STORAGE_ROOT=(/[a-z]+)/"), data);
  EXPECT_EQ(first_match(docker, "DB_URL=sqlite:///(/[a-z]+)/"), data);

  const auto mounted = mounts();
  const std::string claim = volume(mounted.at(data)).at("persistentVolumeClaim").at("claimName");
  EXPECT_EQ(yaml("k8s/volume-claim.yaml").at("metadata").at("name"), claim);
  for (const std::string& scratch : {cache, std::string("/tmp")}) {
    EXPECT_TRUE(volume(mounted.at(scratch)).contains("emptyDir")) << scratch;
  }

  const Json compose = yaml("docker/compose.yaml");
  const Json& service = compose.at("services").at("pytoon");
  const std::string used = service.at("volumes").at(0);
  EXPECT_EQ(first_match(used, ":(\\S+)$"), data);
  EXPECT_TRUE(compose.at("volumes").contains(first_match(used, "^([a-z]+):")));
  std::set<std::string> tmpfs;
  for (const Json& entry : service.at("tmpfs")) {
    tmpfs.insert(first_match(entry.get<std::string>(), "^([^:]+)"));
  }
  EXPECT_EQ(tmpfs, (std::set<std::string>{cache, "/tmp"}));
}

TEST(Deploy, NamesAgree) {
  const Json deployment = yaml("k8s/deployment.yaml");
  const Json& labels = deployment.at("spec").at("template").at("metadata").at("labels");
  EXPECT_EQ(deployment.at("spec").at("selector").at("matchLabels"), labels);
  EXPECT_EQ(yaml("k8s/service.yaml").at("spec").at("selector"), labels);

  const Json secret = yaml("k8s/secret.example.yaml");
  bool has_key = false;
  const Json inside = container();
  for (const Json& variable : inside.at("env")) {
    if (variable.at("name") != "API_KEY") continue;
    const Json& reference = variable.at("valueFrom").at("secretKeyRef");
    EXPECT_EQ(secret.at("metadata").at("name"), reference.at("name"));
    EXPECT_TRUE(secret.at("stringData").contains(reference.at("key").get<std::string>()));
    has_key = true;
  }
  EXPECT_TRUE(has_key);

  const std::string image = container().at("image");
  EXPECT_EQ(yaml("docker/compose.yaml").at("services").at("pytoon").at("image"), image);
  const std::string version =
      first_match(text("CMakeLists.txt"), "project\\(pytoon VERSION ([0-9.]+)");
  EXPECT_EQ(image, "pytoon:" + version);

  std::set<std::string> resources{"kustomization.yaml", "secret.example.yaml"};
  const Json kustomization = yaml("k8s/kustomization.yaml");
  for (const Json& resource : kustomization.at("resources")) {
    resources.insert(resource.get<std::string>());
  }
  std::set<std::string> files;
  for (const auto& entry : fs::directory_iterator(kRoot / "k8s")) {
    files.insert(entry.path().filename().string());
  }
  EXPECT_EQ(files, resources);
}

TEST(Deploy, TheOnlyOwnerOfSqlite) {
  const Json spec = yaml("k8s/deployment.yaml").at("spec");
  EXPECT_EQ(spec.at("replicas"), 1);
  EXPECT_EQ(spec.at("strategy").at("type"), "Recreate");
}

TEST(Deploy, TheImageIsMadeOfTheScripts) {
  const std::string docker = text("docker/Dockerfile");
  EXPECT_NE(docker.find("RUN scripts/setup --build-only"), std::string::npos);
  EXPECT_NE(docker.find("RUN scripts/dev build release pytoon"), std::string::npos);
  EXPECT_NE(docker.find("scripts/setup --runtime-only"), std::string::npos);
  EXPECT_EQ(docker.find("apt-get"), std::string::npos) << "packages belong in scripts/packages.txt";
}

TEST(Deploy, FontsOfTheConfigurationAreInstalled) {
  const std::set<std::string> run = packages("run");
  EXPECT_TRUE(run.count("gstreamer1.0-plugins-bad"));
  const std::string fonts = text("config/fonts.yaml");
  const std::regex package("package: ([a-z0-9.+-]+)");
  int count = 0;
  for (std::sregex_iterator it(fonts.begin(), fonts.end(), package), end; it != end; ++it) {
    EXPECT_TRUE(run.count((*it)[1])) << (*it)[1] << " is missing in scripts/packages.txt [run]";
    ++count;
  }
  EXPECT_GT(count, 0);
}

TEST(Deploy, PackagesAreListedOnceAGroup) {
  for (const char* group : {"build", "run", "test", "dev"}) {
    EXPECT_FALSE(packages(group).empty()) << group;
  }
}

}  // namespace
}  // namespace pytoon
