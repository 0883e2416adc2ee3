// Independent pieces of work, divided among a few threads: what a film takes before its first frame
// can be drawn should not wait for one core while others idle.
//
// The pieces must not depend on each other: then the division changes no byte.
//
// Thread rule: any thread; the work runs in the caller's and in others that end with the call. What
// one throws, the caller gets when all have ended.
#pragma once

#include <functional>

namespace pytoon {

// Calls work(0) to work(count - 1), each once, begun in that order, at most `at_once` at a time.
void in_parallel(int count, int at_once, const std::function<void(int index)>& work);

// Calls work(first, behind_last) for bands that make up an image's rows 0 to rows - 1, each once,
// on a few of the machine's cores.
void in_row_bands(int rows, const std::function<void(int first, int last)>& work);

}  // namespace pytoon
