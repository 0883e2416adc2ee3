#include "pipeline/media/gst/plugin_folder.h"

#include <gst/gst.h>

#include <array>
#include <cstdlib>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "base/files.h"

namespace pytoon::media {
namespace fs = std::filesystem;
namespace {

struct Plugin {
  const char* file;
  const char* element;
  const char* package;
};
constexpr std::array kPlugins{
    Plugin{"libgstcoreelements.so", "queue", "libgstreamer1.0-0"},
    Plugin{"libgstvideoparsersbad.so", "h264parse", "gstreamer1.0-plugins-bad"},
};

Failure missing(const Plugin& plugin) {
  return failure(FailureKind::kMedia, std::string("the GStreamer plugin ") + plugin.file +
                                          " is missing or broken: install the package " +
                                          plugin.package);
}

std::vector<fs::path> system_folders() {
  const char* listed = std::getenv("GST_PLUGIN_SYSTEM_PATH");
  if (listed == nullptr || *listed == '\0') return {PYTOON_GST_PLUGIN_FOLDER};
  std::vector<fs::path> folders;
  std::istringstream list(listed);
  for (std::string folder; std::getline(list, folder, ':');) folders.emplace_back(folder);
  return folders;
}

Result<fs::path> find(const Plugin& plugin) {
  for (const fs::path& folder : system_folders()) {
    std::error_code error;
    if (fs::is_regular_file(folder / plugin.file, error)) return folder / plugin.file;
  }
  return missing(plugin);
}

// Never leaves a moment without the link, once there was one: another process may be reading it.
Status link_to(const fs::path& target, const fs::path& link) {
  std::error_code error;
  if (fs::read_symlink(link, error) == target) return ok_status();
  const fs::path temporary = temporary_beside(link);
  fs::create_symlink(target, temporary, error);
  if (!error) fs::rename(temporary, link, error);
  if (error) return errno_failure(error.value(), "can't link " + link.string());
  return ok_status();
}

}  // namespace

Status link_plugins(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return errno_failure(error.value(), "can't make the folder " + folder.string());
  for (const Plugin& plugin : kPlugins) {
    const Result<fs::path> target = find(plugin);
    if (!target) return target.failure();
    if (Status linked = link_to(*target, folder / plugin.file); !linked) return linked;
  }
  return ok_status();
}

Status check_plugins() {
  for (const Plugin& plugin : kPlugins) {
    GstElementFactory* factory = gst_element_factory_find(plugin.element);
    if (factory == nullptr) return missing(plugin);
    gst_object_unref(factory);
  }
  return ok_status();
}

}  // namespace pytoon::media
