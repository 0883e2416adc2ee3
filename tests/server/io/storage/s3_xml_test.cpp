#include "server/io/storage/s3_xml.h"

#include <gtest/gtest.h>

namespace pytoon::io {

TEST(S3Xml, FindsElementsByName) {
  const std::string xml =
      "<?xml version=\"1.0\"?><R><Key>a</Key><C><Key>b&amp;&lt;c&gt;&quot;</Key></C><K/></R>";
  ASSERT_EQ(xml_elements(xml, "Key").size(), 2U);
  EXPECT_EQ(xml_text(xml, "Key"), "a");
  EXPECT_EQ(xml_text(xml_elements(xml, "C").at(0), "Key"), "b&<c>\"");
  EXPECT_EQ(xml_text(xml, "None"), "");
  EXPECT_EQ(xml_text(xml, "K"), "");
}

TEST(S3Xml, BrokenTextIsNoElement) {
  for (const char* xml : {"", "<", "<Key", "<Key>a", "</Key><Key>", "<Key>a</Ke"}) {
    EXPECT_TRUE(xml_elements(xml, "Key").empty()) << xml;
  }
}

TEST(S3Xml, ReadsTimes) {
  const auto time = xml_time("2009-10-12T17:50:30.000Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(iso8601(*time), "2009-10-12T17:50:30.000000Z");
  EXPECT_TRUE(xml_time("2009-10-12T17:50:30Z"));
  EXPECT_EQ(iso8601(*http_date("Mon, 12 Oct 2009 17:50:30 GMT")), iso8601(*time));
  for (const char* text : {"", "Mon, 12 Oct 2009 17:50:30", "Mon, 12 ctO 2009 17:50:30 GMT",
                           "Mon, 12 Oct 2009 17:50:xx GMT", "Mon, 32 Oct 2009 17:50:30 GMT"}) {
    EXPECT_FALSE(http_date(text)) << text;
  }
  for (const char* text : {"", "now", "2009-10-12", "2009-13-12T17:50:30Z", "2009-10-12T17:50:30",
                           "2009-10-12 17:50:30Z", "2009-1x-12T17:50:30Z"}) {
    EXPECT_FALSE(xml_time(text)) << text;
  }
}

}  // namespace pytoon::io
