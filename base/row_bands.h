// Work on an image's rows, divided among a few threads: what an image takes before its first frame
// can be drawn should not wait for one core while others idle.
//
// Rows must not depend on each other: then the division changes no byte.
//
// Thread rule: any thread; the work runs in the caller's and up to three more, which end with the
// call. What one throws, the caller gets.
#pragma once

#include <functional>

namespace pytoon {

// Calls work(first, behind_last) for bands that make up rows 0 to rows - 1, each once.
void in_row_bands(int rows, const std::function<void(int first, int last)>& work);

}  // namespace pytoon
