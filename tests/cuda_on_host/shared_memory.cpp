// __shared__ variables are statics of functions in sft::cuda; this library's own table of symbols says where they lie
// (System V ABI, "Symbol Table"; Itanium C++ ABI, "Scope Encoding").
#include "tests/cuda_on_host/shared_memory.h"

#include <dlfcn.h>
#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sft::test::on_host {
namespace {

constexpr std::string_view kLocalOfAKernel = "_ZZN3sft4cuda";

// A variable that was used is known by these: kernels fill theirs from the beginning, and no fragment is smaller.
constexpr size_t kFirstBytes = 4;

struct Variable {
  uint8_t* begin;
  size_t bytes;
};

std::vector<Variable> find_variables() {
  Dl_info here{};
  if (::dladdr(reinterpret_cast<const void*>(&poison_shared_memory), &here) == 0)
    throw std::runtime_error("the library of the kernels was not found");
  std::ifstream stream(here.dli_fname, std::ios::binary);
  const std::string file{std::istreambuf_iterator<char>(stream), {}};
  const auto read = [&]<class T>(size_t at, T into) { return std::memcpy(&into, file.data() + at, sizeof into), into; };
  const auto head = read(0, Elf64_Ehdr{});
  const auto section = [&](size_t i) { return read(head.e_shoff + i * sizeof(Elf64_Shdr), Elf64_Shdr{}); };
  std::vector<Variable> found;
  for (size_t s = 0; s < head.e_shnum; ++s) {
    const Elf64_Shdr symbols = section(s);
    if (symbols.sh_type != SHT_SYMTAB) continue;
    const size_t names = section(symbols.sh_link).sh_offset;
    for (size_t at = 0; at < symbols.sh_size; at += sizeof(Elf64_Sym)) {
      const auto symbol = read(symbols.sh_offset + at, Elf64_Sym{});
      if (ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT || symbol.st_shndx >= head.e_shnum) continue;
      if (section(symbol.st_shndx).sh_type != SHT_NOBITS) continue;  // a constant
      if (!std::string_view(file.data() + names + symbol.st_name).starts_with(kLocalOfAKernel)) continue;
      found.push_back({static_cast<uint8_t*>(here.dli_fbase) + symbol.st_value, symbol.st_size});
    }
  }
  if (found.empty()) throw std::runtime_error(std::string("no shared memory of kernels in ") + here.dli_fname);
  return found;
}

// By an instruction that the address sanitizer does not see: a variable's bytes, as the table has them, hold what it
// guards the variable with.
void fill(const Variable& variable) {
  uint8_t* begin = variable.begin;
  size_t bytes = variable.bytes;
  asm volatile("rep stosb" : "+D"(begin), "+c"(bytes) : "a"(0xff) : "memory");
}

}  // namespace

void poison_shared_memory() {
  static const std::vector<Variable> variables = find_variables();
  for (const Variable& variable : variables)
    if (std::any_of(variable.begin, variable.begin + kFirstBytes, [](uint8_t byte) { return byte != 0xff; }))
      fill(variable);
}

}  // namespace sft::test::on_host
