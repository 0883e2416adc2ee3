#include "server/io/redis/redis_url.h"

#include <gtest/gtest.h>

namespace pytoon::io {

TEST(RedisUrl, ReadsAllParts) {
  const auto plain = parse_redis_url("redis://redis");
  ASSERT_TRUE(plain) << plain.failure().detail;
  EXPECT_EQ(plain->host, "redis");
  EXPECT_EQ(plain->port, 6379);
  EXPECT_EQ(plain->database, 0);
  EXPECT_EQ(plain->password, "");
  const auto full = parse_redis_url("redis://bell:p%40ss@10.0.0.5:6400/3");
  ASSERT_TRUE(full) << full.failure().detail;
  EXPECT_EQ(full->user, "bell");
  EXPECT_EQ(full->password, "p@ss");
  EXPECT_EQ(full->text(), "10.0.0.5:6400");
  EXPECT_EQ(full->database, 3);
  const auto six = parse_redis_url("redis://:secret@[::1]:7000/");
  ASSERT_TRUE(six) << six.failure().detail;
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->port, 7000);
  EXPECT_EQ(six->password, "secret");
  EXPECT_EQ(six->user, "");
}

TEST(RedisUrl, SaysWhatIsWrongWithoutThePassword) {
  for (const char* url :
       {"", "redis", "http://h", "redis://", "redis://:hunter2@", "redis://h:0", "redis://h:70000",
        "redis://h:x", "redis://h/x", "redis://h/-1", "redis://u@h", "redis://u:@h",
        "redis://:hunter2%4@h", "redis://:hunter2%zz@h", "redis://h?db=1", "redis://h 1",
        "redis://[::1", "redis://[::1]x", "rediss://:hunter2@h"}) {
    const auto read = parse_redis_url(url);
    ASSERT_FALSE(read) << url;
    EXPECT_EQ(read.failure().kind, FailureKind::kInvalid);
    EXPECT_NE(read.failure().detail.find("REDIS_URL"), std::string::npos);
    EXPECT_EQ(read.failure().detail.find("hunter2"), std::string::npos);
  }
  EXPECT_NE(parse_redis_url("rediss://h").failure().detail.find("TLS"), std::string::npos);
}

}  // namespace pytoon::io
