#include "server/app/postgres_tools.h"

#include <gtest/gtest.h>

namespace pytoon::app {

TEST(WithoutPassword, TakesItOutAndDecodesIt) {
  const PublicUrl place = without_password("postgresql://pytoon:p%40ss%3Aw@db:5432/pytoon?x=1");
  EXPECT_EQ(place.url, "postgresql://pytoon@db:5432/pytoon?x=1");
  EXPECT_EQ(place.password, "p@ss:w");
}

TEST(WithoutPassword, LeavesOthersAlone) {
  for (const char* url : {"postgresql://db/pytoon", "postgresql://user@db:5432/pytoon",
                          "postgresql:///pytoon?host=/run/postgresql&user=a:b@c"}) {
    EXPECT_EQ(without_password(url).url, url);
    EXPECT_EQ(without_password(url).password, "");
  }
}

}  // namespace pytoon::app
