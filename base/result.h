// Result<T>: a value or a Failure. [[nodiscard]], so that no failure is dropped unseen.
//
//   Result<Image> image = decode(bytes);
//   if (!image) return image.failure();
//   use(*image);
//
// Reading the value of a failed Result, or the Failure of a good one, is a broken promise: aborts.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/failure.h"

namespace pytoon {

template <typename T>
class [[nodiscard]] Result {
 public:
  using Value = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}            // NOLINT
  Result(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    require();
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    require();
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    require();
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Failure& failure() const {
    CHECK(!ok(), "failure() of a Result that succeeded");
    return *std::get_if<1>(&state_);
  }

 private:
  void require() const { CHECK(ok(), std::get_if<1>(&state_)->detail.c_str()); }

  std::variant<T, Failure> state_;
};

using Status = Result<std::monostate>;
inline Status ok_status() { return Status(std::monostate{}); }

inline Failure failure(FailureKind kind, std::string detail) {
  return Failure{kind, std::move(detail), {}};
}

// A single wrong field.
inline Failure invalid_field(std::string pointer, std::string detail) {
  return Failure{FailureKind::kInvalid, detail, {FieldFault{std::move(pointer), detail}}};
}

}  // namespace pytoon
