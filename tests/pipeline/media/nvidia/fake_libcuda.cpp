// See fake_nvidia.h. Signatures are the CUDA driver API's, with its handles as plain pointers and
// numbers; functions that nothing here needs say "not supported", or succeed at nothing.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/pipeline/media/nvidia/fake_nvidia.h"

namespace {

constexpr int kSuccess = 0;
constexpr int kOutOfMemory = 2;
constexpr int kInvalidDevice = 101;
constexpr int kNotSupported = 801;

constexpr std::size_t kAlignment = 512;
constexpr int kTextureAlignment = 14;  // CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT
constexpr int kMajor = 75;             // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR

int primary_context;
std::atomic<long> blocks{0};
std::atomic<long> copies{0};
std::atomic<bool> refusing{false};
thread_local std::vector<void*> pushed;

std::size_t rounded(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

int allocate(std::uintptr_t* address, std::size_t bytes) {
  if (refusing) return kOutOfMemory;
  *address = reinterpret_cast<std::uintptr_t>(std::aligned_alloc(kAlignment, rounded(bytes)));
  if (*address == 0) return kOutOfMemory;
  ++blocks;
  return kSuccess;
}

int refuse_copy() {
  ++copies;
  return kNotSupported;
}

}  // namespace

#define FAKE_NOTHING(name) \
  int name() { return kSuccess; }
#define FAKE_ABSENT(name) \
  int name() { return kNotSupported; }
#define FAKE_COPY(name) \
  int name() { return refuse_copy(); }

extern "C" {

void* fake_cuda_context() { return &primary_context; }
long fake_cuda_blocks() { return blocks; }
long fake_cuda_copies() { return copies; }
void fake_cuda_refuse_memory(int refuse) { refusing = refuse != 0; }
int fake_cuda_contexts_pushed() { return static_cast<int>(pushed.size()); }

int cuInit(unsigned) { return kSuccess; }
int cuDriverGetVersion(int* version) {
  *version = 13000;
  return kSuccess;
}
int cuDeviceGetCount(int* count) {
  *count = 1;
  return kSuccess;
}
int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return ordinal == 0 ? kSuccess : kInvalidDevice;
}
int cuDeviceCanAccessPeer(int* can, int, int) {
  *can = 0;
  return kSuccess;
}
int cuDeviceGetName(char* name, int size, int) {
  std::snprintf(name, static_cast<std::size_t>(size), "Fake GPU");
  return kSuccess;
}
int cuDeviceGetAttribute(int* value, int attribute, int) {
  *value = attribute == kTextureAlignment ? static_cast<int>(kAlignment)
           : attribute == kMajor          ? 9
                                          : 0;
  return kSuccess;
}
int cuDevicePrimaryCtxRetain(void** context, int) {
  *context = &primary_context;
  return kSuccess;
}
int cuCtxPushCurrent_v2(void* context) {
  pushed.push_back(context);
  return kSuccess;
}
int cuCtxPopCurrent_v2(void** context) {
  if (pushed.empty()) return kNotSupported;
  if (context != nullptr) *context = pushed.back();
  pushed.pop_back();
  return kSuccess;
}
int cuCtxGetDevice(int* device) {
  *device = 0;
  return kSuccess;
}
int cuGetErrorName(int, const char** name) {
  *name = "FAKE_ERROR";
  return kSuccess;
}
int cuGetErrorString(int, const char** text) {
  *text = "an error of the fake driver";
  return kSuccess;
}
int cuMemAlloc_v2(std::uintptr_t* address, std::size_t bytes) { return allocate(address, bytes); }
int cuMemAllocPitch_v2(std::uintptr_t* address, std::size_t* pitch, std::size_t row_bytes,
                       std::size_t rows, unsigned) {
  *pitch = rounded(row_bytes);
  return allocate(address, *pitch * rows);
}
int cuMemFree_v2(std::uintptr_t address) {
  std::free(reinterpret_cast<void*>(address));
  --blocks;
  return kSuccess;
}
int cuMemAllocHost_v2(void** address, std::size_t bytes) {
  *address = std::malloc(bytes);
  return *address == nullptr ? kOutOfMemory : kSuccess;
}
int cuMemFreeHost(void* address) {
  std::free(address);
  return kSuccess;
}

FAKE_COPY(cuMemcpy)
FAKE_COPY(cuMemcpyAsync)
FAKE_COPY(cuMemcpy2D_v2)
FAKE_COPY(cuMemcpy2DAsync_v2)
FAKE_COPY(cuMemcpyDtoD_v2)
FAKE_COPY(cuMemcpyDtoDAsync_v2)
FAKE_COPY(cuMemcpyDtoH_v2)
FAKE_COPY(cuMemcpyDtoHAsync_v2)
FAKE_COPY(cuMemcpyHtoD_v2)
FAKE_COPY(cuMemcpyHtoDAsync_v2)

FAKE_NOTHING(cuCtxCreate_v2)
FAKE_NOTHING(cuCtxDestroy_v2)
FAKE_NOTHING(cuCtxDisablePeerAccess)
FAKE_NOTHING(cuCtxEnablePeerAccess)
FAKE_NOTHING(cuCtxSetLimit)
FAKE_NOTHING(cuDevicePrimaryCtxGetState)
FAKE_NOTHING(cuDevicePrimaryCtxRelease)
FAKE_NOTHING(cuDevicePrimaryCtxRelease_v2)
FAKE_NOTHING(cuDevicePrimaryCtxReset)
FAKE_NOTHING(cuDevicePrimaryCtxSetFlags)
FAKE_NOTHING(cuEventCreate)
FAKE_NOTHING(cuEventDestroy_v2)
FAKE_NOTHING(cuEventQuery)
FAKE_NOTHING(cuEventRecord)
FAKE_NOTHING(cuEventSynchronize)
FAKE_NOTHING(cuStreamAddCallback)
FAKE_NOTHING(cuStreamCreate)
FAKE_NOTHING(cuStreamDestroy)
FAKE_NOTHING(cuStreamDestroy_v2)
FAKE_NOTHING(cuStreamQuery)
FAKE_NOTHING(cuStreamSynchronize)

FAKE_ABSENT(cuArray3DCreate_v2)
FAKE_ABSENT(cuArrayDestroy)
FAKE_ABSENT(cuDestroyExternalMemory)
FAKE_ABSENT(cuDestroyExternalSemaphore)
FAKE_ABSENT(cuDeviceComputeCapability)
FAKE_ABSENT(cuDeviceGetUuid)
FAKE_ABSENT(cuEGLStreamConsumerDisconnect)
FAKE_ABSENT(cuEGLStreamProducerConnect)
FAKE_ABSENT(cuEGLStreamProducerDisconnect)
FAKE_ABSENT(cuEGLStreamProducerPresentFrame)
FAKE_ABSENT(cuEGLStreamProducerReturnFrame)
FAKE_ABSENT(cuExternalMemoryGetMappedBuffer)
FAKE_ABSENT(cuExternalMemoryGetMappedMipmappedArray)
FAKE_ABSENT(cuGLGetDevices_v2)
FAKE_ABSENT(cuGraphicsGLRegisterBuffer)
FAKE_ABSENT(cuGraphicsGLRegisterImage)
FAKE_ABSENT(cuGraphicsMapResources)
FAKE_ABSENT(cuGraphicsResourceGetMappedPointer_v2)
FAKE_ABSENT(cuGraphicsResourceSetMapFlags_v2)
FAKE_ABSENT(cuGraphicsSubResourceGetMappedArray)
FAKE_ABSENT(cuGraphicsUnmapResources)
FAKE_ABSENT(cuGraphicsUnregisterResource)
FAKE_ABSENT(cuImportExternalMemory)
FAKE_ABSENT(cuImportExternalSemaphore)
FAKE_ABSENT(cuLaunchKernel)
FAKE_ABSENT(cuLinkAddData)
FAKE_ABSENT(cuLinkComplete)
FAKE_ABSENT(cuLinkCreate)
FAKE_ABSENT(cuLinkDestroy)
FAKE_ABSENT(cuMemAllocManaged)
FAKE_ABSENT(cuMemsetD8Async)
FAKE_ABSENT(cuMipmappedArrayDestroy)
FAKE_ABSENT(cuMipmappedArrayGetLevel)
FAKE_ABSENT(cuModuleGetFunction)
FAKE_ABSENT(cuModuleGetGlobal)
FAKE_ABSENT(cuModuleLoadData)
FAKE_ABSENT(cuModuleUnload)
FAKE_ABSENT(cuSignalExternalSemaphoresAsync)
FAKE_ABSENT(cuTexObjectCreate)
FAKE_ABSENT(cuTexObjectDestroy)
FAKE_ABSENT(cuWaitExternalSemaphoresAsync)

}  // extern "C"
