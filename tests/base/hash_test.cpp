#include "base/hash.h"

#include <gtest/gtest.h>

namespace pytoon {

TEST(Sha256, KnownAnswers) {  // FIPS 180-4 examples
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, FieldsKeepTheirBorders) {
  Sha256 one;
  one.field("ab");
  one.field("c");
  Sha256 other;
  other.field("a");
  other.field("bc");
  EXPECT_NE(one.hex(), other.hex());
}

TEST(ConstantTimeEqual, ComparesBytes) {
  EXPECT_TRUE(equal_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_constant_time("secret", "secre"));
}

}  // namespace pytoon
