// Identifiers and randomness, handed in so that tests can repeat themselves.
//
// Thread rule: any thread; microseconds. Aborts when the machine has no randomness.
#pragma once

#include <string>

namespace pytoon {

class IdSource {
 public:
  virtual ~IdSource() = default;
  virtual std::string next() = 0;  // a UUID in lower case, 36 characters: safe in paths
};

// Its 32 digits, without dashes.
std::string without_dashes(std::string uuid);

// Random version-4 UUIDs (RFC 9562 section 5.4) from OpenSSL's generator.
class RandomIds final : public IdSource {
 public:
  std::string next() override;
};

}  // namespace pytoon
