#include "server/io/storage/s3_xml.h"

#include <gtest/gtest.h>

namespace pytoon::io {

TEST(S3Xml, ReadsADocumentByItsRoot) {
  const auto document = read_xml(
      "<?xml version=\"1.0\"?><List xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Key>a</Key>"
      "<C><Key>b&amp;&lt;c&gt;&quot;&#x27;</Key></C><Key><![CDATA[<Key>]]></Key><K/></List>",
      "List");
  ASSERT_TRUE(document);
  const pugi::xml_node list = document->document_element();
  EXPECT_STREQ(list.child_value("Key"), "a");
  EXPECT_STREQ(list.last_child().previous_sibling().child_value(), "<Key>");
  EXPECT_STREQ(list.child("C").child_value("Key"), "b&<c>\"'");
  EXPECT_STREQ(list.child_value("None"), "");
}

TEST(S3Xml, WhatIsNoSuchDocumentIsAFailure) {
  for (const char* xml : {"", "<", "<List", "<List>a", "</List><List>", "<List><Key>a</List>",
                          "<html><body>502</body></html>", "<Error><Code>A</Code></Error>",
                          "{\"List\": 1}", "<!-- <List></List> -->"}) {
    const auto document = read_xml(xml, "List");
    ASSERT_FALSE(document) << xml;
    EXPECT_EQ(document.failure().kind, FailureKind::kBadResponse);
  }
}

TEST(S3Xml, AnErrorIsTheRootAndNotAWordInTheText) {
  EXPECT_EQ(error_code("<Error><Message>m</Message><Code>SlowDown</Code></Error>"), "SlowDown");
  EXPECT_EQ(error_code("<Error/>"), "");
  EXPECT_EQ(error_code("<List><Key>&lt;Error&gt;</Key></List>"), std::nullopt);
  EXPECT_EQ(error_code("<List><Error><Code>A</Code></Error></List>"), std::nullopt);
  EXPECT_EQ(error_code("no XML"), std::nullopt);
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
