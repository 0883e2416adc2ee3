#include "base/hmac.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace pytoon {

TEST(Hmac, KnownAnswers) {  // RFC 4231, test cases 1 and 2
  EXPECT_EQ(base64(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c=");
  EXPECT_EQ(base64(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
}

}  // namespace pytoon
