// Rows of the promise ledger's tables as the values of jobs/admission, and back. Only for
// sql_promises.cpp.
#pragma once

#include <string>
#include <vector>

#include "server/io/sql.h"
#include "server/jobs/admission/ledger_row.h"

namespace pytoon::io {

// All of a sample but its time, which stands in a column of its own.
std::string text_of(const jobs::admission::Sample& sample);
// kInternal (DatabaseError) when the text is no sample.
jobs::admission::Sample sample_from(const std::string& text, std::int64_t sampled_at);

// One card, or all by UUID, each read by one statement, so that sample, promises and reservation
// are of one moment.
std::vector<jobs::admission::LedgerRow> read_card(SqlSession& session, const std::string& gpu);
std::vector<jobs::admission::LedgerRow> read_cards(SqlSession& session);

// The columns that read_promise() reads from `first` on, of a table or alias named p.
extern const char* const kPromiseColumns;
jobs::admission::Promise read_promise(const Row& row, std::size_t first = 0);
void insert_promise(SqlSession& session, const jobs::admission::Promise& promise);

}  // namespace pytoon::io
