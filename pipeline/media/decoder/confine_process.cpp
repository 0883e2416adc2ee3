#include "pipeline/media/decoder/confine_process.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fcntl.h>
#include <cerrno>
#include <initializer_list>
#include <memory>

#include "base/files.h"

namespace pytoon::media {
namespace {

constexpr rlim_t kFilesMax = 16;

void limit(int resource, rlim_t soft, rlim_t hard) {
  const rlimit value{soft, hard};
  (void)::setrlimit(static_cast<__rlimit_resource>(resource), &value);
}

void limit_resources(const ProcessLimits& limits) {
  const auto cpu = static_cast<rlim_t>(limits.cpu.count());
  limit(RLIMIT_DATA, limits.memory_bytes, limits.memory_bytes);
  limit(RLIMIT_CPU, cpu, cpu + 1);
  limit(RLIMIT_CORE, 0, 0);
  limit(RLIMIT_FSIZE, limits.written_bytes, limits.written_bytes);
  limit(RLIMIT_NOFILE, kFilesMax, kFilesMax);
}

// As the kernel's Landlock documentation has it; the C library has no names for these yet.
struct LandlockRules {
  std::uint64_t files = 0;
  std::uint64_t network = 0;  // since version 4
  std::uint64_t scoped = 0;   // since version 6
};

std::uint64_t files_of(long version) {
  constexpr int kFirst = 13;
  int bits = kFirst;
  if (version >= 2) ++bits;  // linking across folders
  if (version >= 3) ++bits;  // truncating
  if (version >= 5) ++bits;  // ioctl of devices
  return (std::uint64_t{1} << static_cast<unsigned>(bits)) - 1;
}

// Where there is no Landlock the filter of system calls says the same.
void forbid_files_and_network() {
  constexpr unsigned kAskVersion = 1;
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion);
  if (version < 1) return;
  LandlockRules rules;
  rules.files = files_of(version);
  rules.network = version >= 4 ? 3 : 0;
  rules.scoped = version >= 6 ? 3 : 0;
  const FileDescriptor none(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0U)));
  if (none) (void)::syscall(SYS_landlock_restrict_self, none.get(), 0U);
}

}  // namespace

class Confinement::SystemCalls {
 public:
  SystemCalls() : filter_(seccomp_init(SCMP_ACT_ERRNO(EPERM))) {
    allow_decoding();
    forbid_attacks();
  }
  bool enforce() { return filter_ && good_ && seccomp_load(filter_.get()) == 0; }

 private:
  struct Release {
    void operator()(void* filter) const { seccomp_release(filter); }
  };

  void allow_decoding();
  void forbid_attacks();

  void allow(std::initializer_list<int> calls) { add(SCMP_ACT_ALLOW, calls); }
  void end_process(std::initializer_list<int> calls) { add(SCMP_ACT_KILL_PROCESS, calls); }
  // Allowed where the argument's bits within mask are value.
  void allow_where(int call, unsigned argument, std::uint64_t mask, std::uint64_t value) {
    const scmp_arg_cmp condition{argument, SCMP_CMP_MASKED_EQ, mask, value};
    note(seccomp_rule_add_array(filter_.get(), SCMP_ACT_ALLOW, call, 1, &condition));
  }
  void refuse(int call, int error) {
    note(seccomp_rule_add(filter_.get(), SCMP_ACT_ERRNO(static_cast<unsigned>(error)), call, 0));
  }
  void add(std::uint32_t action, std::initializer_list<int> calls) {
    for (const int call : calls) note(seccomp_rule_add(filter_.get(), action, call, 0));
  }
  void note(int answer) { good_ = good_ && answer == 0; }

  std::unique_ptr<void, Release> filter_;
  bool good_ = true;
};

void Confinement::SystemCalls::allow_decoding() {
  allow({SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
         SCMP_SYS(pwrite64), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(poll), SCMP_SYS(ppoll)});
  allow({SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk)});
  allow({SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
         SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(getpid), SCMP_SYS(gettid),
         SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(restart_syscall)});
  allow({SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday),
         SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(getrandom)});
  allow({SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
         SCMP_SYS(sigaltstack)});
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    allow_where(call, 2, PROT_EXEC, 0);  // no new code
  }
  for (const int command : {F_DUPFD_CLOEXEC, F_GETFD, F_GETFL}) {
    allow_where(SCMP_SYS(fcntl), 1, ~std::uint32_t{0}, static_cast<std::uint32_t>(command));
  }
  allow_where(SCMP_SYS(prctl), 0, ~std::uint32_t{0}, PR_SET_NAME);
  allow_where(SCMP_SYS(prlimit64), 2, ~std::uint64_t{0}, 0);  // asks, sets nothing
  // Threads but no processes. What the newer call asks for can't be seen by a filter: without it
  // the C library takes the older one.
  allow_where(SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD);
  refuse(SCMP_SYS(clone3), ENOSYS);
}

// No decoder tries these, not even in vain.
void Confinement::SystemCalls::forbid_attacks() {
  end_process({SCMP_SYS(execve),
               SCMP_SYS(execveat),
               SCMP_SYS(fork),
               SCMP_SYS(vfork),
               SCMP_SYS(ptrace),
               SCMP_SYS(process_vm_readv),
               SCMP_SYS(process_vm_writev),
               SCMP_SYS(pidfd_getfd),
               SCMP_SYS(kcmp),
               SCMP_SYS(bind),
               SCMP_SYS(listen),
               SCMP_SYS(accept),
               SCMP_SYS(accept4),
               SCMP_SYS(io_uring_setup),
               SCMP_SYS(bpf),
               SCMP_SYS(userfaultfd),
               SCMP_SYS(perf_event_open),
               SCMP_SYS(keyctl),
               SCMP_SYS(mount),
               SCMP_SYS(unshare),
               SCMP_SYS(setns),
               SCMP_SYS(init_module),
               SCMP_SYS(finit_module),
               SCMP_SYS(open_by_handle_at),
               SCMP_SYS(memfd_create)});
}

Confinement::Confinement() : filter_(std::make_unique<SystemCalls>()) {}

Confinement::~Confinement() = default;

Status Confinement::confine(const ProcessLimits& limits) {
  limit_resources(limits);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const bool kept_low = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  forbid_files_and_network();
  if (!kept_low || !filter_->enforce()) {
    return failure(FailureKind::kUnavailable,
                   "files can't be decoded: this kernel does not filter system calls (seccomp), "
                   "without which no decoder is let at what strangers sent");
  }
  return ok_status();
}

}  // namespace pytoon::media
