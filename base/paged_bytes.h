// Bytes that live in pages of their own: a picture's, a plane's.
//
// From kPagedBytesMin on they are mapped and not taken from the heap: they come as zeros without
// being written, go back to the system when they go, and lie in huge pages where the kernel gives
// those to who asks (transparent_hugepage/enabled: madvise or always): one page fault for 512.
//
// New elements are zero in a vector that held nothing before; resize() after a shrink shows what
// was there. Thread rule: as std::vector. Throws std::bad_alloc. Source: madvise(2), MADV_HUGEPAGE.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#include <vector>

// AddressSanitizer watches the heap alone: under it all bytes lie there. GCC and clang say so in
// different ways.
#ifdef __has_feature
#define PYTOON_HEAP_IS_WATCHED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define PYTOON_HEAP_IS_WATCHED 1
#else
#define PYTOON_HEAP_IS_WATCHED 0
#endif

namespace pytoon {

inline constexpr std::size_t kPagedBytesMin = std::size_t{256} * 1024;
inline constexpr bool kMapsPages = PYTOON_HEAP_IS_WATCHED == 0;

template <typename T>
struct PagedAllocator {
  using value_type = T;

  PagedAllocator() = default;
  template <typename Other>
  PagedAllocator(const PagedAllocator<Other>& /*other*/) {}

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    if (!is_mapped(bytes)) {
      void* const taken = std::calloc(count, sizeof(T));
      if (taken == nullptr) throw std::bad_alloc();
      return static_cast<T*>(taken);
    }
    void* const mapped =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    ::madvise(mapped, bytes, MADV_HUGEPAGE);  // a wish: small pages do as well
    return static_cast<T*>(mapped);
  }

  void deallocate(T* memory, std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    if (is_mapped(bytes)) {
      ::munmap(memory, bytes);
    } else {
      std::free(memory);
    }
  }

  // Memory comes as zeros.
  template <typename Element>
  void construct(Element* /*element*/) {}
  template <typename Element, typename... Values>
  void construct(Element* element, Values&&... values) {
    std::construct_at(element, std::forward<Values>(values)...);
  }

  bool operator==(const PagedAllocator& /*other*/) const { return true; }

 private:
  static constexpr bool is_mapped(std::size_t bytes) {
    return kMapsPages && bytes >= kPagedBytesMin;
  }
};

using PagedBytes = std::vector<std::uint8_t, PagedAllocator<std::uint8_t>>;

}  // namespace pytoon
