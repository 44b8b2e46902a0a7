// Assigns rows to columns for a Python script to compare.
//
// Reads matrices from the standard input until it ends: double rows, columns, then the costs row by row. Writes the
// column of each row as text, a line a matrix.
#include <iostream>
#include <vector>

#include "trainer/tasks/object_detection/hungarian.h"

int main() {
  const auto read = [](std::vector<double>& numbers) {
    return bool(std::cin.read(reinterpret_cast<char*>(numbers.data()),
                              static_cast<std::streamsize>(numbers.size() * sizeof(double))));
  };
  for (std::vector<double> size(2); read(size);) {
    std::vector<double> cost(static_cast<size_t>(size[0] * size[1]));
    if (!cost.empty() && !read(cost)) return 1;
    for (const int64_t column :
         sft::linear_sum_assignment(cost, static_cast<int64_t>(size[0]), static_cast<int64_t>(size[1])))
      std::cout << column << ' ';
    std::cout << '\n';
  }
}
