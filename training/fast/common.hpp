// What the f32 and the bf16 passes share: planes with a border, f32 convolution, the gradient of the first layer.
#pragma once
#include <cstring>
#include <immintrin.h>
#include <type_traits>

typedef float v16 __attribute__((vector_size(64), aligned(64)));
typedef float v16u __attribute__((vector_size(64), aligned(4)));

namespace {

constexpr int BORDER = 2;

struct Plane {
  int h, w, more = 0;  // more: zeros at the end of each row, beyond the border
  int row() const { return w + 2 * BORDER + more; }
  long area() const { return long(h + 2 * BORDER) * row(); }
  // Index of pixel (y, x) of the picture.
  long at(int y, int x) const { return long(y + BORDER) * row() + x + BORDER; }
};

template <class T>
struct AlignedOf {
  T* data = nullptr;
  explicit AlignedOf(size_t count) : data(static_cast<T*>(_mm_malloc(count * sizeof(T), 64))) {}
  ~AlignedOf() { _mm_free(data); }
  AlignedOf(const AlignedOf&) = delete;
};
using Aligned = AlignedOf<float>;

// P pixels of one row, 16 output channels: out[p] = start + sum of weights [k][k][CIN] times in.
template <int K, int CIN, int P>
inline void block(const float* in, int row, const v16* weights, v16 start, v16* out) {
  v16 acc[P];
  for (int p = 0; p < P; p++) acc[p] = start;
  for (int ky = 0; ky < K; ky++) {
    for (int kx = 0; kx < K; kx++) {
      const float* tap = in + (long(ky) * row + kx) * CIN;
      for (int c = 0; c < CIN; c++) {
        const v16 wv = *weights++;
#pragma GCC unroll 16
        for (int p = 0; p < P; p++) acc[p] += wv * tap[p * CIN + c];
      }
    }
  }
  for (int p = 0; p < P; p++) out[p] = acc[p];
}

// Convolution of a whole picture, 16 outputs from group `g`. store(pixel index, v16).
template <int K, int CIN, class Store>
void convolve(Plane s, const float* in, const v16* weights, v16 start, Store store) {
  for (int y = 0; y < s.h; y++) {
    int x = 0;
    const auto run = [&](auto width) {
      constexpr int P = decltype(width)::value;
      for (; x + P <= s.w; x += P) {
        v16 out[P];
        block<K, CIN, P>(in + s.at(y - K / 2, x - K / 2) * CIN, s.row(), weights, start, out);
        for (int p = 0; p < P; p++) store(s.at(y, x + p), out[p]);
      }
    };
    run(std::integral_constant<int, 16>());
    run(std::integral_constant<int, 8>());
    run(std::integral_constant<int, 1>());
  }
}

// The first layer, of one channel: gradient[25] of 16 outputs.
template <int F>
void firstGradient(Plane s, const float* x, const float* g, v16* gradient) {
  v16 acc[25];
  for (int t = 0; t < 25; t++) acc[t] = gradient[t];
  for (int y = 0; y < s.h; y++) {
    for (int i = 0; i < s.w; i++) {
      const v16 gv = *reinterpret_cast<const v16*>(g + s.at(y, i) * F);
      const float* a = x + s.at(y - 2, i - 2);
#pragma GCC unroll 25
      for (int t = 0; t < 25; t++) acc[t] += gv * a[(t / 5) * s.row() + t % 5];
    }
  }
  for (int t = 0; t < 25; t++) gradient[t] = acc[t];
}

}  // namespace
