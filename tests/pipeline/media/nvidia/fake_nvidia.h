// A stand-in for NVIDIA's driver, so that all that is ours between a CUDA frame and an H.264 packet
// runs on a machine without a GPU: libcuda.so.1 whose device memory is host memory, and
// libnvidia-encode.so.1 whose sessions encode with x264. A program linked with them meets them
// wherever GStreamer or FFmpeg look for the driver. Kernels don't run.
//
// These functions steer and watch it. Any thread; reset between tests.
#pragma once

extern "C" {

// libcuda.so.1
void* fake_cuda_context();                 // the primary context
long fake_cuda_blocks();                   // device allocations that live
long fake_cuda_copies();                   // copies asked for, of any kind; all are refused
void fake_cuda_refuse_memory(int refuse);  // from now on allocations fail
int fake_cuda_contexts_pushed();           // on the calling thread and not popped

// libnvidia-encode.so.1
struct FakeNvenc {
  int sessions_max;   // how many may be open; more are refused as the driver does
  int open_status;    // when not 0, the NVENCSTATUS that every opening gets
  int fail_at_frame;  // counted from 0 over all sessions since the reset; -1 is never
};
void fake_nvenc_reset(FakeNvenc behaviour);
int fake_nvenc_open();        // sessions open now
int fake_nvenc_opened();      // sessions opened since the reset
int fake_nvenc_open_most();   // at the same time
int fake_nvenc_frames();      // encoded
int fake_nvenc_registered();  // most addresses that one session was told of
int fake_nvenc_peak_kbps();   // the ceiling that the last session was given

}  // extern "C"
