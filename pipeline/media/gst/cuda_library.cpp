#include "pipeline/media/gst/cuda_library.h"

#include <dlfcn.h>

#include <string>

namespace pytoon::media {
namespace {

constexpr char kFile[] = "libgstcuda-1.0.so.0";

Failure missing(const std::string& what) {
  return failure(
      FailureKind::kUnavailable,
      what + ": install the package libgstreamer-plugins-bad1.0-0, version 1.22 or newer");
}

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

}  // namespace

Result<CudaLibrary> load_cuda_library() {
  void* library = dlopen(kFile, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* error = dlerror();
    return missing(error == nullptr ? std::string("can't load ") + kFile : error);
  }
  CudaLibrary found;
  if (!find(library, "gst_cuda_load_library", found.load_driver) ||
      !find(library, "gst_cuda_context_new_wrapped", found.wrap_context) ||
      !find(library, "gst_cuda_memory_init_once", found.init_memory) ||
      !find(library, "gst_cuda_buffer_pool_new", found.new_pool)) {
    return missing(std::string(kFile) + " lacks a function that we need");
  }
  return found;
}

}  // namespace pytoon::media
