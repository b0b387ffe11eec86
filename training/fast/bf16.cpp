// SESR's passes with activations, their gradients and weights in bf16 and sums in f32: an instruction of AVX-512 BF16 does two
// multiply-adds a lane, at the rate of one in f32. The first layer, biases, slopes and the sums of all gradients are f32.
//
// Products come in pairs. Where channels are summed, neighbouring channels are the pair, and lie next to each other as they are;
// where pixels are summed, for gradients of weights, neighbouring pixels are it, and are interleaved first, a few rows at a time: the pairs
// that begin at even columns and those that begin at odd ones. Rows have an even length, so each is one walk through the rows.
#include "common.hpp"

#include <cmath>
#include <utility>

#ifdef __AVX512BF16__

namespace {

typedef unsigned short bf16;
typedef unsigned Pair __attribute__((may_alias, aligned(2)));

constexpr int ROWS = 4;  // that a gradient of weights stays in registers for: what they read fits the first cache

inline v16 dot(v16 sum, __m512i a, __m512i b) { return (v16)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b); }

inline __m512i load(const bf16* p) { return _mm512_loadu_si512(p); }

// With the pair at p in all lanes. In assembly, as g++ 12 makes two instructions of it.
inline v16 dotSpread(v16 sum, __m512i a, const bf16* p) {
  asm("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(a), "m"(*reinterpret_cast<const Pair*>(p)));
  return sum;
}

inline v16 widen(const bf16* p) {
  const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return (v16)_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(v), 16));
}

// To nearest, ties to even.
inline void narrow(bf16* p, v16 v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), (__m256i)_mm512_cvtneps_pbh((__m512)v)); }

inline bf16 narrow(float v) {
  unsigned bits;
  std::memcpy(&bits, &v, sizeof bits);
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

template <int K, int CIN, int P>
inline void block(const bf16* in, int row, const __m512i* weights, v16 start, v16* out) {
  v16 acc[P];
#pragma GCC unroll 16
  for (int p = 0; p < P; p++) acc[p] = start;
  for (int ky = 0; ky < K; ky++) {
    for (int kx = 0; kx < K; kx++) {
      const bf16* tap = in + (long(ky) * row + kx) * CIN;
      for (int c = 0; c < CIN; c += 2) {
        const __m512i wv = *weights++;
#pragma GCC unroll 16
        for (int p = 0; p < P; p++) acc[p] = dotSpread(acc[p], wv, tap + p * CIN + c);
      }
    }
  }
#pragma GCC unroll 16
  for (int p = 0; p < P; p++) out[p] = acc[p];
}

// As the one in f32; weights [k][k][CIN / 2][16 outputs][2].
template <int K, int CIN, class Store>
void convolve(Plane s, const bf16* in, const __m512i* weights, v16 start, Store store) {
  for (int y = 0; y < s.h; y++) {
    int x = 0;
    const auto run = [&](auto width) {
      constexpr int P = decltype(width)::value;
      for (; x + P <= s.w; x += P) {
        v16 out[P];
        block<K, CIN, P>(in + s.at(y - K / 2, x - K / 2) * CIN, s.row(), weights, start, out);
#pragma GCC unroll 16
        for (int p = 0; p < P; p++) store(s.at(y, x + p), out[p]);
      }
    };
    run(std::integral_constant<int, 16>());
    run(std::integral_constant<int, 8>());
    run(std::integral_constant<int, 1>());
  }
}

// Interleaves pairs of neighbouring pixels, [2][C] -> [C][2] (of 32 channels: [2][16][2]).
template <int C>
void pairPixels(const bf16* in, long count, bf16* out) {
  if constexpr (C == 4) {
    const __m128i order = _mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15);
    for (long i = 0; i < count; i++, in += 8, out += 8) {
      const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_shuffle_epi8(v, order));
    }
  } else {
    alignas(64) bf16 order[2 * C];
    for (int c = 0; c < C; c++) order[2 * c] = c, order[2 * c + 1] = C + c;
    if constexpr (C == 16) {
      const __m512i v = load(order);
      for (long i = 0; i < count; i++, in += 32, out += 32) _mm512_store_si512(out, _mm512_permutexvar_epi16(v, load(in)));
    } else {
      const __m512i low = load(order), high = load(order + 32);
      for (long i = 0; i < count; i++, in += 64, out += 64) {
        const __m512i a = load(in), b = load(in + 32);
        _mm512_store_si512(out, _mm512_permutex2var_epi16(a, low, b));
        _mm512_store_si512(out + 32, _mm512_permutex2var_epi16(a, high, b));
      }
    }
  }
}

// The pairs of some rows of a layer's input and of its result's gradient g, for gradients of weights.
struct Pairs {
  AlignedOf<bf16> even, odd, g;
  int row;
  Pairs(Plane s, int channels) : even((ROWS + 4L) * s.row() * channels), odd((ROWS + 4L) * s.row() * channels),
                                 g(ROWS * long(s.row()) * channels), row(s.row()) {}

  // Rows y .. end of the picture's g, and those of `in` that K taps reach from there.
  template <int K, int CIN, int COUT>
  void fill(Plane s, int y, int end, const bf16* in, const bf16* gradient) {
    const bf16* from = in + s.at(y - K / 2, -BORDER) * CIN;
    const long count = long(end - y + K - 1) * row / 2;
    pairPixels<CIN>(from, count, even.data);
    pairPixels<CIN>(from + CIN, count - 1, odd.data);
    pairPixels<COUT>(gradient + s.at(y, -BORDER) * COUT, long(end - y) * row / 2, g.data);
  }

  // Of filled row y, from the one of the picture's pixels d and d + 1.
  const bf16* input(int y, int d, int channels) const {
    return (d & 1 ? odd.data + (d + 1) * channels : even.data + (d + BORDER) * channels) + long(y) * row * channels;
  }
  const bf16* gradient(int y, int channels) const { return g.data + (long(y) * row + BORDER) * channels; }
};

// gradient[CIN / 16][COUT / 16][tap][16 inputs] of 16 outputs += sum over pixels of in[pixel + tap] * g[pixel]. A pair that reaches
// beyond an odd width meets zeros of g.
template <int K, int CIN, int COUT>
void weightGradient(Plane s, const bf16* in, const bf16* g, Pairs& pairs, v16* gradient) {
  const int count = (s.w + 1) / 2;
  for (int start = 0; start < s.h; start += ROWS) {
    const int end = start + ROWS < s.h ? start + ROWS : s.h;
    pairs.fill<K, CIN, COUT>(s, start, end, in, g);
    v16* sums = gradient;
    for (int p = 0; p < CIN / 16; p++) {
      for (int q = 0; q < COUT / 16; q++) {
        for (int tap = 0; tap < K * K; tap++, sums += 16) {
          v16 acc[16];
#pragma GCC unroll 16
          for (int c = 0; c < 16; c++) acc[c] = sums[c];
          for (int y = 0; y < end - start; y++) {
            const bf16* a = pairs.input(y + tap / K, tap % K - K / 2, CIN) + 32 * p;
            const bf16* b = pairs.gradient(y, COUT) + 32 * q;
            for (int x = 0; x < count; x++, a += 2 * CIN, b += 2 * COUT) {
              const __m512i gv = load(b);
#pragma GCC unroll 16
              for (int c = 0; c < 16; c++) acc[c] = dotSpread(acc[c], gv, a + 2 * c);
            }
          }
#pragma GCC unroll 16
          for (int c = 0; c < 16; c++) sums[c] = acc[c];
        }
      }
    }
  }
}

// -> lane i: the sum of the lanes of v[i].
inline v16 sumsOf(const v16* v) {
  __m512 a[8], b[4], c[2];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    const __m512 p = (__m512)v[2 * i], q = (__m512)v[2 * i + 1];
    a[i] = _mm512_add_ps(_mm512_unpacklo_ps(p, q), _mm512_unpackhi_ps(p, q));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const __m512d p = _mm512_castps_pd(a[2 * i]), q = _mm512_castps_pd(a[2 * i + 1]);
    b[i] = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(p, q)), _mm512_castpd_ps(_mm512_unpackhi_pd(p, q)));
  }
#pragma GCC unroll 2
  for (int i = 0; i < 2; i++) {
    const __m512 p = b[2 * i], q = b[2 * i + 1];
    c[i] = _mm512_add_ps(_mm512_shuffle_f32x4(p, q, 0x88), _mm512_shuffle_f32x4(p, q, 0xdd));
  }
  return (v16)_mm512_add_ps(_mm512_shuffle_f32x4(c[0], c[1], 0x88), _mm512_shuffle_f32x4(c[0], c[1], 0xdd));
}

// The last layer of x2, 5 x 5 to 4 channels: a vector is 32 input channels of one pixel, or 16 of two neighbours, whose taps are
// then 0 and 1, 2 and 3, and 3 (of weight zero) and 4: STEPS vectors a row of taps.
template <int F>
constexpr int STEPS = F == 32 ? 5 : 3;

template <int F>
constexpr int stepColumn(int step) {
  return F == 32 ? step : step == 2 ? 3 : 2 * step;
}

template <int F>
void packLastOfFour(const float* w, bf16* packed /* [5][STEPS][4][32] */) {
  for (int t = 0; t < 5 * STEPS<F>; t++)
    for (int q = 0; q < 4; q++)
      for (int i = 0; i < 32; i++) {
        const int step = t % STEPS<F>, column = stepColumn<F>(step) + i / F;
        const bool again = F == 16 && step == 2 && i < F;
        *packed++ = again ? 0 : narrow(w[(long(q) * F + i % F) * 25 + t / STEPS<F> * 5 + column]);
      }
}

// Four pixels at a time; those beyond the row are computed from whatever lies there and not written.
template <int F>
void lastOfFour(Plane s, const bf16* in, const __m512i* weights, const float* bias, float* out) {
  const v16 biases = (v16)_mm512_broadcast_f32x4(_mm_loadu_ps(bias));
  for (int y = 0; y < s.h; y++) {
    for (int x = 0; x < s.w; x += 4) {
      const int left = s.w - x < 4 ? s.w - x : 4;
      v16 acc[16];
#pragma GCC unroll 16
      for (int i = 0; i < 16; i++) acc[i] = v16{};
      const __m512i* w = weights;
      for (int ky = 0; ky < 5; ky++) {
        const bf16* row = in + s.at(y + ky - 2, x - 2) * F;
#pragma GCC unroll 5
        for (int step = 0; step < STEPS<F>; step++, w += 4) {
          const bf16* a = row + stepColumn<F>(step) * F;
#pragma GCC unroll 4
          for (int p = 0; p < 4; p++) {
            const __m512i av = load(a + p * F);
#pragma GCC unroll 4
            for (int q = 0; q < 4; q++) acc[4 * p + q] = dot(acc[4 * p + q], w[q], av);
          }
        }
      }
      const __mmask16 valid = (1u << (4 * left)) - 1;
      _mm512_mask_storeu_ps(out + (long(y) * s.w + x) * 4, valid, (__m512)(sumsOf(acc) + biases));
    }
  }
}

// gradient[ky][F / 16][kx][4], lanes are input channels.
template <int F>
void lastOfFourGradient(Plane s, const bf16* in, const bf16* g, Pairs& pairs, v16* gradient) {
  const int count = (s.w + 1) / 2;
  for (int start = 0; start < s.h; start += ROWS) {
    const int end = start + ROWS < s.h ? start + ROWS : s.h;
    pairs.fill<5, F, 4>(s, start, end, in, g);
    v16* sums = gradient;
    for (int ky = 0; ky < 5; ky++) {
      for (int group = 0; group < F / 16; group++, sums += 20) {
        v16 acc[20];
#pragma GCC unroll 20
        for (int i = 0; i < 20; i++) acc[i] = sums[i];
        for (int y = 0; y < end - start; y++) {
          const bf16 *even = pairs.input(y + ky, -2, F) + 32 * group, *odd = pairs.input(y + ky, -1, F) + 32 * group;
          const bf16* b = pairs.gradient(y, 4);
          for (int x = 0; x < count; x++, even += 2 * F, odd += 2 * F, b += 8) {
#pragma GCC unroll 5
            for (int kx = 0; kx < 5; kx++) {
              const __m512i av = load((kx & 1 ? odd : even) + kx / 2 * 2 * F);
#pragma GCC unroll 4
              for (int q = 0; q < 4; q++) acc[4 * kx + q] = dotSpread(acc[4 * kx + q], av, b + 2 * q);
            }
          }
        }
#pragma GCC unroll 20
        for (int i = 0; i < 20; i++) sums[i] = acc[i];
      }
    }
  }
}

// OIHW -> for each group of 16 outputs [k][k][cin / 2][16][2].
void packForward(const float* w, int cout, int cin, int k, bf16* packed) {
  for (int o = 0; o < cout; o++)
    for (int i = 0; i < cin; i++)
      for (int t = 0; t < k * k; t++)
        packed[((long(o / 16) * k * k + t) * cin + i / 2 * 2) * 16 + o % 16 * 2 + i % 2] = narrow(w[(long(o) * cin + i) * k * k + t]);
}

// The same of the convolution that sends gradients back: inputs and outputs exchanged, taps reversed.
void packBackward(const float* w, int cout, int cin, int k, bf16* packed) {
  for (int o = 0; o < cout; o++)
    for (int i = 0; i < cin; i++)
      for (int t = 0; t < k * k; t++)
        packed[((long(i / 16) * k * k + k * k - 1 - t) * cout + o / 2 * 2) * 16 + i % 16 * 2 + o % 2] =
            narrow(w[(long(o) * cin + i) * k * k + t]);
}

template <int F>
struct Network {
  static constexpr int G = F / 16;
  int n, m, o;
  Plane s;

  long inputCount() const { return (s.area() + 15) / 16 * 16; }
  long activation() const { return (s.area() * F + 31) / 32 * 32; }
  // Of one picture, in floats: x in f32, then start, z and a of each block, and what the last layer's four pixels may read beyond.
  long perPicture() const { return inputCount() + activation() / 2 * (2 * m + 1) + 2 * F; }
  float* x(float* store, int i) const { return store + i * perPicture(); }
  bf16* start(float* store, int i) const { return reinterpret_cast<bf16*>(x(store, i) + inputCount()); }
  bf16* z(float* store, int i, int b) const { return start(store, i) + activation() * (1 + 2 * b); }
  // After block b; of the last block the sum with `start`.
  bf16* a(float* store, int i, int b) const { return start(store, i) + (b < 0 ? 0 : activation() * (2 + 2 * b)); }

  // Zeros around the picture.
  void clearBorder(bf16* plane, int channels) const {
    const long row = s.row(), right = row - BORDER - s.w;
    const auto clear = [&](long from, long count) { std::memset(plane + from * channels, 0, sizeof(bf16) * count * channels); };
    clear(0, BORDER * row), clear((s.h + BORDER) * row, BORDER * row);
    for (int y = 0; y < s.h; y++) clear(s.at(y, -BORDER), BORDER), clear(s.at(y, s.w), right);
  }

  void forward(const float* input, const float* const* w, const float* const* bias, const float* const* slope, float* store,
               float* out) const {
    Aligned first(25 * F);
    AlignedOf<bf16> middle(9L * F * F * m), last(30L * F * 16);
    for (int q = 0; q < F; q++)
      for (int t = 0; t < 25; t++) first.data[(q / 16 * 25 + t) * 16 + q % 16] = w[0][q * 25 + t];
    for (int b = 0; b < m; b++) packForward(w[1 + b], F, F, 3, middle.data + 9L * F * F * b);
    if (o == 4) packLastOfFour<F>(w[m + 1], last.data);
    else packForward(w[m + 1], 16, F, 5, last.data);
    for (int i = 0; i < n; i++) {
      float* xs = x(store, i);
      std::memset(xs, 0, sizeof(float) * s.area());
      for (int y = 0; y < s.h; y++)
        std::memcpy(xs + s.at(y, 0), input + (long(i) * s.h + y) * s.w, sizeof(float) * s.w);
      bf16* begin = start(store, i);
      clearBorder(begin, F);
      for (int g = 0; g < G; g++) {
        convolve<5, 1>(s, xs, reinterpret_cast<v16*>(first.data) + 25 * g, *reinterpret_cast<const v16u*>(bias[0] + 16 * g),
                       [&](long at, v16 v) { narrow(begin + at * F + 16 * g, v); });
      }
      for (int b = 0; b < m; b++) {
        const bf16* from = a(store, i, b - 1);
        bf16 *zs = z(store, i, b), *as = a(store, i, b);
        clearBorder(as, F);
        for (int g = 0; g < G; g++) {
          const v16 slopes = *reinterpret_cast<const v16u*>(slope[b] + 16 * g);
          const auto* weights = reinterpret_cast<__m512i*>(middle.data + 9L * F * F * b + 9 * F * 16 * g);
          const auto layer = [&](auto last) {
            convolve<3, F>(s, from, weights, *reinterpret_cast<const v16u*>(bias[1 + b] + 16 * g), [&](long at, v16 v) {
              const long k = at * F + 16 * g;
              narrow(zs + k, v);
              v16 r = v > 0 ? v : v * slopes;
              if (decltype(last)::value) r += widen(begin + k);
              narrow(as + k, r);
            });
          };
          if (b == m - 1) layer(std::true_type());
          else layer(std::false_type());
        }
      }
      const bf16* sum = a(store, i, m - 1);
      const auto* weights = reinterpret_cast<__m512i*>(last.data);
      float* result = out + long(i) * s.h * s.w * o;
      if (o == 4) {
        lastOfFour<F>(s, sum, weights, bias[m + 1], result);
      } else {
        convolve<5, F>(s, sum, weights, *reinterpret_cast<const v16u*>(bias[m + 1]), [&](long, v16 v) {
          *reinterpret_cast<v16u*>(result) = v;
          result += 16;
        });
      }
    }
  }

  // Gradients of the weights [O][I][K][K], biases and slopes, summed over the pictures.
  void backward(const float* gout, const float* const* w, const float* const* slope, float* store, float* const* dw,
                float* const* db, float* const* ds) const {
    AlignedOf<bf16> middle(9L * F * F * m), last(25L * F * 16), gl(s.area() * o), g0(activation()), g1(activation()), gs(activation());
    Pairs pairs(s, F);
    Aligned sumFirst(25 * F), sumMiddle(9L * F * F * m), sumLast(25L * F * o), sumBias(F * (m + 1)), sumSlope(F * m), gStart(s.area() * F);
    for (int b = 0; b < m; b++) packBackward(w[1 + b], F, F, 3, middle.data + 9L * F * F * b);
    packBackward(w[m + 1], o, F, 5, last.data);
    const auto clear = [](Aligned& t, long count) { std::memset(t.data, 0, sizeof(float) * count); };
    clear(sumFirst, 25 * F), clear(sumMiddle, 9L * F * F * m), clear(sumLast, 25L * F * o);
    clear(sumBias, F * (m + 1)), clear(sumSlope, F * m);
    clearBorder(gl.data, o), clearBorder(g0.data, F), clearBorder(g1.data, F);
    // Divided by the largest gradient: that of a mean absolute error is then 1 or -1, which rounding leaves alone.
    float scale = 0;
    for (long k = 0; k < long(n) * s.h * s.w * o; k++) scale = std::fabs(gout[k]) > scale ? std::fabs(gout[k]) : scale;
    if (!(scale > 0)) scale = 1;
    v16 lastBias = {};
    for (int i = 0; i < n; i++) {
      for (int y = 0; y < s.h; y++) {
        const float* from = gout + (long(i) * s.h + y) * s.w * o;
        bf16* to = gl.data + s.at(y, 0) * o;
        for (int k = 0; k < s.w * o; k += 16) {
          const __mmask16 valid = s.w * o - k < 16 ? (1u << (s.w * o - k)) - 1 : 0xffff;
          const v16 v = (v16)_mm512_maskz_loadu_ps(valid, from + k) / scale;
          lastBias += v;
          _mm256_mask_storeu_epi16(to + k, valid, (__m256i)_mm512_cvtneps_pbh((__m512)v));
        }
      }
      // g: gradient of block b's z, written by the convolution that ends there.
      bf16 *g = g0.data, *next = g1.data;
      // What block b's PReLU does to the gradient v of its result, channels from 16 k; `before` sees v first.
      const auto through = [&](int b, int k, bf16* to, auto before, auto run) {
        v16& bias = reinterpret_cast<v16*>(sumBias.data + F * (b + 1))[k];
        v16& slopeSum = reinterpret_cast<v16*>(sumSlope.data + F * b)[k];
        const v16 slopes = *reinterpret_cast<const v16u*>(slope[b] + 16 * k);
        const bf16* zs = z(store, i, b);
        v16 biases = bias, sums = slopeSum;
        run([&](long at, v16 v) {
          const long j = at * F + 16 * k;
          before(j, v);
          const v16 zv = widen(zs + j), d = zv > 0 ? v : v * slopes;
          sums += zv > 0 ? v16{} : v * zv;
          biases += d;
          narrow(to + j, d);
        });
        bias = biases, slopeSum = sums;
      };
      for (int k = 0; k < G; k++) {
        const auto* weights = reinterpret_cast<__m512i*>(last.data + 25L * o * 16 * k);
        through(m - 1, k, g, [&](long j, v16 v) { narrow(gs.data + j, v); }, [&](auto store) {
          if (o == 4) convolve<5, 4>(s, gl.data, weights, v16{}, store);
          else convolve<5, 16>(s, gl.data, weights, v16{}, store);
        });
      }
      const bf16* sum = a(store, i, m - 1);
      if (o == 4) lastOfFourGradient<F>(s, sum, gl.data, pairs, reinterpret_cast<v16*>(sumLast.data));
      else weightGradient<5, F, 16>(s, sum, gl.data, pairs, reinterpret_cast<v16*>(sumLast.data));
      for (int b = m - 1; b >= 0; b--) {
        weightGradient<3, F, F>(s, a(store, i, b - 1), g, pairs, reinterpret_cast<v16*>(sumMiddle.data) + 9L * F * G * b);
        for (int k = 0; k < G; k++) {
          const auto* weights = reinterpret_cast<__m512i*>(middle.data + 9L * F * F * b + 9 * F * 16 * k);
          if (b > 0) {
            through(b - 1, k, next, [](long, v16) {}, [&](auto store) { convolve<3, F>(s, g, weights, v16{}, store); });
          } else {
            v16 biases = reinterpret_cast<v16*>(sumBias.data)[k];
            convolve<3, F>(s, g, weights, v16{}, [&](long at, v16 v) {
              const long j = at * F + 16 * k;
              v += widen(gs.data + j);
              biases += v;
              *reinterpret_cast<v16*>(gStart.data + j) = v;
            });
            reinterpret_cast<v16*>(sumBias.data)[k] = biases;
          }
        }
        std::swap(g, next);
      }
      for (int k = 0; k < G; k++)
        firstGradient<F>(s, x(store, i), gStart.data + 16 * k, reinterpret_cast<v16*>(sumFirst.data) + 25 * k);
    }
    for (int c = 0; c < F; c++) {
      for (int t = 0; t < 25; t++) dw[0][c * 25 + t] = scale * sumFirst.data[((c / 16) * 25 + t) * 16 + c % 16];
      for (int b = 0; b <= m; b++) db[b][c] = scale * sumBias.data[F * b + c];
      for (int b = 0; b < m; b++) ds[b][c] = scale * sumSlope.data[F * b + c];
    }
    for (int b = 0; b < m; b++)
      for (int q = 0; q < F; q++)
        for (int p = 0; p < F; p++)
          for (int t = 0; t < 9; t++)
            dw[1 + b][(long(q) * F + p) * 9 + t] =
                scale * sumMiddle.data[((((long(b) * G + p / 16) * G + q / 16) * 9 + t) * 16 + p % 16) * 16 + q % 16];
    for (int q = 0; q < o; q++) {
      db[m + 1][q] = 0;
      for (int k = q; k < 16; k += o) db[m + 1][q] += scale * lastBias[k];
      for (int p = 0; p < F; p++)
        for (int t = 0; t < 25; t++)
          dw[m + 1][(long(q) * F + p) * 25 + t] =
              scale * (o == 4 ? sumLast.data[((((t / 5) * G + p / 16) * 5 + t % 5) * 4 + q) * 16 + p % 16]
                              : sumLast.data[((long(p / 16) * 25 + t) * 16 + p % 16) * 16 + q]);
    }
  }
};

// Rows of an even length, for the pairs of pixels.
Plane plane(int h, int w) { return {h, w, w % 2}; }

}  // namespace

extern "C" {

int bf16_compiled() { return 1; }

// Floats that a picture's activations take.
long bf16_store(int h, int w, int m, int f) {
  const Plane s = plane(h, w);
  return f == 16 ? Network<16>{1, m, 4, s}.perPicture() : Network<32>{1, m, 4, s}.perPicture();
}

void bf16_forward(int n, int h, int w, int m, int f, int o, const float* x, const float* const* weights, const float* const* bias,
                  const float* const* slope, float* store, float* out) {
  const Plane s = plane(h, w);
  if (f == 16) Network<16>{n, m, o, s}.forward(x, weights, bias, slope, store, out);
  else Network<32>{n, m, o, s}.forward(x, weights, bias, slope, store, out);
}

void bf16_backward(int n, int h, int w, int m, int f, int o, const float* gout, const float* const* weights, const float* const* slope,
                   float* store, float* const* dw, float* const* db, float* const* ds) {
  const Plane s = plane(h, w);
  if (f == 16) Network<16>{n, m, o, s}.backward(gout, weights, slope, store, dw, db, ds);
  else Network<32>{n, m, o, s}.backward(gout, weights, slope, store, dw, db, ds);
}
}

#else

extern "C" int bf16_compiled() { return 0; }

#endif
