#include "server/io/database_url.h"

#include <gtest/gtest.h>

namespace pytoon::io {

TEST(DatabaseUrl, NamesAFile) {
  const DatabaseUrl url = *parse_database_url("sqlite:///data/pytoon.db");
  EXPECT_EQ(url.kind, DatabaseUrl::Kind::kSqlite);
  EXPECT_EQ(url.file, "data/pytoon.db");
  EXPECT_EQ(parse_database_url("sqlite:////var/lib/pytoon.db")->file, "/var/lib/pytoon.db");
}

TEST(DatabaseUrl, NamesAServer) {
  const DatabaseUrl url = *parse_database_url(
      "postgresql://pytoon:p%40ss'w%5Crd@db.example:5433/video?sslmode=require");
  EXPECT_EQ(url.kind, DatabaseUrl::Kind::kPostgres);
  EXPECT_EQ(url.connection,
            "sslmode='require' host='db.example' dbname='video' port='5433' user='pytoon' ");
  EXPECT_EQ(url.password, "p@ss'w\\rd");
  EXPECT_EQ(url.login(), url.connection + "password='p@ss\\'w\\\\rd' ");
  EXPECT_EQ(url.shown, "postgresql://pytoon@db.example:5433/video");
  EXPECT_EQ(parse_database_url("postgres://u@[::1]:1/n")->connection,
            "host='::1' dbname='n' port='1' user='u' ");
  EXPECT_EQ(parse_database_url("postgresql://u@/n?host=%2Fvar%2Frun")->connection,
            "host='/var/run' dbname='n' user='u' ");
  EXPECT_EQ(parse_database_url("postgres://u@a,b:1/n?target_session_attrs=read-write")->connection,
            "target_session_attrs='read-write' host='a,b' dbname='n' port=',1' user='u' ");
}

TEST(DatabaseUrl, SaysWhatIsWrongAndNeverThePassword) {
  for (const char* text : {"",
                           "mysql://u:secret@h/n",
                           "sqlite:///",
                           "postgresql://u:secret@h",
                           "postgresql://",
                           "postgresql://u:secret@h:port/n",
                           "postgresql://u:secret@h:0/n",
                           "postgresql://u:secret@h:70000/n",
                           "postgresql://:secret@h/n",
                           "postgresql://u:secret@/n",
                           "postgresql://u:se@secret@h/n",
                           "postgresql://u:pw@secret@h/n",
                           "postgresql://u:12/secret@h",
                           "postgresql://u:12/secret@h/n",
                           "postgresql://u:secret@h/n?password=secret&sslmode",
                           "postgresql://u:secret%zz@h/n",
                           "postgresql://u:secret%0@h/n",
                           "postgresql://u:secret%00@h/n",
                           "postgresql://u:secret@h/n/m",
                           "postgresql://u:secret@h/n?options=secret",
                           "postgresql://u:secret@h/n?sslmode=%q",
                           "postgresql://u:secret@[::1/n",
                           "postgresql://u:secret@[::1]x/n"}) {
    const auto url = parse_database_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.failure().kind, FailureKind::kInvalid);
    EXPECT_TRUE(url.failure().detail.starts_with("DB_URL ")) << url.failure().detail;
    EXPECT_EQ(url.failure().detail.find("secret"), std::string::npos) << url.failure().detail;
  }
}

}  // namespace pytoon::io
