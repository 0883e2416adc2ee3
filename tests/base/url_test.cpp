#include "base/url.h"

#include <gtest/gtest.h>

namespace pytoon {

TEST(Url, IsTakenApart) {
  const auto full = split_url("Redis://us%40r:p%3A@[::1]:70/a/b?c=d#e");
  ASSERT_TRUE(full) << full.failure().detail;
  EXPECT_EQ(full->scheme, "redis");
  EXPECT_EQ(full->user, "us%40r");
  EXPECT_EQ(full->password, "p%3A");
  EXPECT_EQ(full->host, "::1");
  EXPECT_EQ(full->port, "70");
  EXPECT_EQ(full->path, "/a/b");
  EXPECT_EQ(full->query, "c=d");
  EXPECT_EQ(full->fragment, "e");
  const auto bare = split_url("x://h");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->user, std::nullopt);
  EXPECT_EQ(bare->password, std::nullopt);
  EXPECT_EQ(bare->port, "");
  EXPECT_EQ(bare->path, "/");
  EXPECT_EQ(bare->query, std::nullopt);
  EXPECT_EQ(split_url("x://[fe80::1%25eth0]")->zone, "eth0");
  EXPECT_EQ(split_url("x://0x7f.1")->host, "127.0.0.1");
}

TEST(Url, WhatIsNoneIsRefusedWithoutRepeatingIt) {
  for (const std::string& text :
       {std::string(), std::string("secret"), std::string("x://"), std::string("x://secret@"),
        std::string("x://h secret"), std::string("x://h:secret"), std::string("x://[::1"),
        std::string("x://h/\0secret", 12)}) {
    const auto url = split_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.failure().kind, FailureKind::kInvalid);
    EXPECT_EQ(url.failure().detail.find("secret"), std::string::npos);
  }
}

TEST(Url, LinksAreRelativeToTheirDocument) {
  EXPECT_EQ(resolve_url("http://h/a/b", "c?d")->text, "http://h/a/c?d");
  EXPECT_EQ(resolve_url("http://h/a/b", "https://i/c")->text, "https://i/c");
  EXPECT_FALSE(resolve_url("http://h/a/b", "http://"));
}

}  // namespace pytoon
