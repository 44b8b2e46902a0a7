/* What sft-dist asks of an MPI library, as one table of functions in C. Handles and constants of MPI differ from library to library and are
   fixed where a file is compiled, so the program is compiled against no MPI: a small library a kind of MPI, all made of sft_mpi.c, fills the
   table, and the one that fits the launcher is opened when ranks are to meet.

   For an MPI that none of the supplied ones fits:
     mpicc -shared -fPIC -O2 sft_mpi.c -o libsft_mpi.so
     SFT_MPI=$PWD/libsft_mpi.so mpirun -np 8 sft-dist run.toml */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SFT_MPI_VERSION 2
#define SFT_MPI_TABLE "sft_mpi" /* the name of the library's function, an SftMpiTable */

typedef intptr_t SftComm;   /* a communicator; 0: none */
typedef intptr_t SftWindow; /* memory that ranks share; 0: none */

enum { SFT_NOWHERE = -1 }; /* the color of ranks that get no part */

/* Values travel as bytes: the program does its own sums. All that return an int return MPI's error code, 0 where it worked. */
struct SftMpi {
  int version; /* SFT_MPI_VERSION of its making */

  /* Starts MPI unless somebody has; errors are returned from then on. */
  int (*start)(int* takes_turns_of_threads);
  int (*is_started)(int* yes);
  int (*end)(void); /* unless it has ended */

  int (*error_text)(int error, char* text, int bytes);
  int (*library_version)(char* text, int bytes);

  SftComm (*world)(void);
  int (*rank)(SftComm comm, int* rank);
  int (*size)(SftComm comm, int* size);
  int (*copy)(SftComm comm, SftComm* copy);
  int (*split)(SftComm comm, int color, int key, SftComm* part); /* a part returns its errors, as does a copy */
  int (*split_by_host)(SftComm comm, SftComm* host);
  int (*free_comm)(SftComm* comm);

  int (*barrier)(SftComm comm);
  int (*broadcast)(SftComm comm, void* bytes, int count, int root);
  int (*all_gather)(SftComm comm, const void* mine, int bytes, void* all);
  /* bytes[r] of `mine` from begins[r] on go to rank r; what it sends here comes to `theirs` likewise. What a rank would
     send to itself is left alone. */
  int (*exchange)(SftComm comm, const void* mine, const int* bytes, const int* begins, void* theirs, const int* their_bytes, const int* their_begins);

  /* Memory of rank 0's making, which all ranks of a host see; `base` begins where MPI likes, in the page it likes. */
  int (*share)(SftComm host, size_t bytes, void** base, SftWindow* window);
  int (*sync)(SftWindow window);
  int (*free_window)(SftWindow* window);
};

typedef const struct SftMpi* SftMpiTable(void);

#ifdef __cplusplus
}
#endif
