"""The assignment of boxes to tokens against SciPy's linear_sum_assignment, live.

    assignment.py PARITY_ASSIGNMENT

Costs of real numbers have one best assignment, which must be SciPy's; of small integers many have the least sum, which must be it, and the
same numbers must give the same assignment whatever is added to a row.
"""
import subprocess
import sys

try:
    import numpy as np
    from scipy.optimize import linear_sum_assignment
except ImportError as missing:
    print(f"SKIPPED: no parity was checked, {missing} (tools/setup.sh test brings the Python references)")
    sys.exit(77)


def ours(tool, matrices):
    data = b"".join(np.array([*matrix.shape], np.float64).tobytes() + matrix.astype(np.float64).tobytes() for matrix in matrices)
    lines = subprocess.run([tool], input=data, capture_output=True, check=True).stdout.decode().split("\n")
    return [np.array(line.split(), np.int64) for line in lines[:len(matrices)]]


def total(matrix, columns):
    assert len(columns) == matrix.shape[0] and sum(columns >= 0) == min(matrix.shape), (matrix.shape, columns)
    assert len(set(columns[columns >= 0])) == min(matrix.shape), columns
    rows = np.flatnonzero(columns >= 0)
    return matrix[rows, columns[rows]].sum()


draw = np.random.default_rng(1)
shapes = [(n, m) for n in range(0, 8) for m in range(1, 8)] + [(3, 100), (100, 3), (93, 100), (100, 100), (120, 100)] + [tuple(draw.integers(1, 40, 2)) for _ in range(200)]
real = [draw.normal(size=shape) * 10.0 ** draw.integers(-3, 4) for shape in shapes]
tied = [draw.integers(0, 3, shape).astype(float) for shape in shapes]
for matrix, columns in zip(real, ours(sys.argv[1], real)):
    wanted = np.full(matrix.shape[0], -1)
    wanted[linear_sum_assignment(matrix)[0]] = linear_sum_assignment(matrix)[1]
    assert np.array_equal(columns, wanted), (matrix, columns, wanted)
for matrix, columns, moved in zip(tied, ours(sys.argv[1], tied), ours(sys.argv[1], [matrix + 8 * np.arange(matrix.shape[0])[:, None] for matrix in tied])):
    assert total(matrix, columns) == matrix[linear_sum_assignment(matrix)].sum(), (matrix, columns)
    if matrix.shape[0] <= matrix.shape[1]:
        assert np.array_equal(columns, moved), (matrix, columns, moved)
same = ours(sys.argv[1], [np.zeros((4, 9)), np.zeros((9, 4))])
assert same[0].tolist() == [0, 1, 2, 3] and same[1].tolist() == [0, 1, 2, 3] + [-1] * 5, same
print(f"{2 * len(shapes)} assignments agree with SciPy")
