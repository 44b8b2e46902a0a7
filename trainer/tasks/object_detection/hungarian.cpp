// Shortest augmenting paths (Jonker and Volgenant, 1987), for matrices that are not square as Crouse tells it (2016,
// "On implementing 2D rectangular assignment algorithms").
#include "trainer/tasks/object_detection/hungarian.h"

#include <algorithm>
#include <limits>

namespace sft {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

// Of at most as many rows as columns: each row gets a column.
class Assignment {
 public:
  Assignment(std::span<const double> cost, size_t rows, size_t columns)
      : cost_(cost),
        columns_(columns),
        of_row_(rows),
        of_column_(columns),
        column_of_(rows, -1),
        row_of_(columns, -1),
        distance_(columns),
        before_(columns) {}

  std::vector<int64_t> solve() {
    for (size_t row = 0; row < of_row_.size(); ++row) add(row);
    return column_of_;
  }

 private:
  // Finds the shortest path of reduced costs from a row without a column to a free column, by rows and the columns that
  // they have, and moves each row of the path one column on.
  void add(size_t first) {
    std::ranges::fill(distance_, kInfinite);
    seen_.assign(columns_, false);
    std::vector<size_t> rows{first};  // on the way
    double reached = 0;
    int64_t end = -1;
    while (end < 0) {
      const size_t row = rows.back(), column = nearest_from(row, reached);
      reached = distance_[column];
      seen_[column] = true;
      if (row_of_[column] < 0)
        end = static_cast<int64_t>(column);
      else
        rows.push_back(static_cast<size_t>(row_of_[column]));
    }
    of_row_[first] += reached;
    for (size_t i = 1; i < rows.size(); ++i)
      of_row_[rows[i]] += reached - distance_[static_cast<size_t>(column_of_[rows[i]])];
    for (size_t column = 0; column < columns_; ++column)
      if (seen_[column]) of_column_[column] -= reached - distance_[column];
    for (int64_t column = end; column >= 0;) {
      const size_t row = before_[static_cast<size_t>(column)];
      row_of_[static_cast<size_t>(column)] = static_cast<int64_t>(row);
      std::swap(column_of_[row], column);
      if (row == first) break;
    }
  }

  // Takes the edges of a row that was reached at that distance, and gives the nearest column that was not seen.
  size_t nearest_from(size_t row, double reached) {
    size_t best = columns_;
    for (size_t column = 0; column < columns_; ++column) {
      if (seen_[column]) continue;
      const double through = reached + cost_[row * columns_ + column] - of_row_[row] - of_column_[column];
      if (through < distance_[column]) {
        distance_[column] = through;
        before_[column] = row;
      }
      const bool is_nearer = best == columns_ || distance_[column] < distance_[best];
      const bool is_free_first =
          !is_nearer && distance_[column] == distance_[best] && row_of_[column] < 0 && row_of_[best] >= 0;
      if (is_nearer || is_free_first) best = column;
    }
    return best;
  }

  std::span<const double> cost_;
  size_t columns_;
  std::vector<double> of_row_, of_column_;   // dual variables
  std::vector<int64_t> column_of_, row_of_;  // −1: none
  std::vector<double> distance_;             // of each column from the row that is added
  std::vector<size_t> before_;               // the row that a column is reached from
  std::vector<bool> seen_;
};

}  // namespace

std::vector<int64_t> linear_sum_assignment(std::span<const double> cost, int64_t rows, int64_t columns) {
  const auto n = static_cast<size_t>(rows), m = static_cast<size_t>(columns);
  if (n <= m) return Assignment(cost, n, m).solve();
  std::vector<double> turned(n * m);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < m; ++j) turned[j * n + i] = cost[i * m + j];
  std::vector<int64_t> column_of(n, -1);
  const std::vector<int64_t> row_of = Assignment(turned, m, n).solve();
  for (size_t j = 0; j < m; ++j) column_of[static_cast<size_t>(row_of[j])] = static_cast<int64_t>(j);
  return column_of;
}

}  // namespace sft
