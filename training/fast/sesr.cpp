// SESR in collapsed form on one CPU core, forward and backward, for training: 16-channel vectors, pixels in blocks that stay in
// registers. Compiled by fast/__init__.py; check.py compares it with PyTorch's.
//
// Tensors: NHWC, f a multiple of 16. Activations have a border of zeros of 2 pixels, so no convolution asks where it is.
#include "common.hpp"

namespace {

// gradient[tap][ci][g] += sum over pixels of in[pixel + tap][ci] * g[pixel], 16 inputs from `c` of CIN, 16 outputs from `o` of COUT.
template <int K, int CIN, int COUT>
void weightGradient(Plane s, const float* in, const float* g, v16* gradient) {
  for (int y = 0; y < s.h; y++) {
    for (int ky = 0; ky < K; ky++) {
      for (int kx = 0; kx < K; kx++) {
        const float* a = in + s.at(y + ky - K / 2, kx - K / 2) * CIN;
        const float* b = g + s.at(y, 0) * COUT;
        v16* sums = gradient + (ky * K + kx) * 16;
        v16 acc[16];
        for (int c = 0; c < 16; c++) acc[c] = sums[c];
        for (int x = 0; x < s.w; x++, a += CIN, b += COUT) {
          const v16 gv = *reinterpret_cast<const v16*>(b);
#pragma GCC unroll 16
          for (int c = 0; c < 16; c++) acc[c] += gv * a[c];
        }
        for (int c = 0; c < 16; c++) sums[c] = acc[c];
      }
    }
  }
}

// The last layer of x2, 5 x 5 to 4 channels: the lanes are its input channels.
template <int F>
void lastOfFour(Plane s, const float* in, const v16* weights /* [25][F / 16][4] */, const float* bias, float* out) {
  constexpr int G = F / 16;
  for (int y = 0; y < s.h; y++) {
    int x = 0;
    const auto run = [&](auto width) {
      constexpr int P = decltype(width)::value;
      for (; x + P <= s.w; x += P) {
        v16 acc[P][4] = {};
        const v16* w = weights;
        for (int t = 0; t < 25; t++) {
          const float* a = in + s.at(y - 2 + t / 5, x - 2 + t % 5) * F;
          for (int g = 0; g < G; g++, w += 4) {
#pragma GCC unroll 4
            for (int p = 0; p < P; p++) {
              const v16 av = *reinterpret_cast<const v16*>(a + p * F + g * 16);
#pragma GCC unroll 4
              for (int o = 0; o < 4; o++) acc[p][o] += av * w[o];
            }
          }
        }
        for (int p = 0; p < P; p++)
          for (int o = 0; o < 4; o++)
            out[(long(y) * s.w + x + p) * 4 + o] = bias[o] + _mm512_reduce_add_ps((__m512)acc[p][o]);
      }
    };
    run(std::integral_constant<int, 4>());
    run(std::integral_constant<int, 1>());
  }
}

// gradient[ky][F / 16][kx][4], lanes are input channels; g is [h][w][4] with border.
template <int F>
void lastOfFourGradient(Plane s, const float* in, const float* g, v16* gradient) {
  for (int y = 0; y < s.h; y++) {
    for (int ky = 0; ky < 5; ky++) {
      for (int group = 0; group < F / 16; group++) {
        v16* sums = gradient + (ky * (F / 16) + group) * 20;
        v16 acc[5][4];
        for (int i = 0; i < 20; i++) acc[i / 4][i % 4] = sums[i];
        const float* a = in + s.at(y + ky - 2, -2) * F + group * 16;
        const float* b = g + s.at(y, 0) * 4;
        for (int x = 0; x < s.w; x++, a += F, b += 4) {
#pragma GCC unroll 5
          for (int kx = 0; kx < 5; kx++) {
            const v16 av = *reinterpret_cast<const v16*>(a + kx * F);
#pragma GCC unroll 4
            for (int o = 0; o < 4; o++) acc[kx][o] += av * b[o];
          }
        }
        for (int i = 0; i < 20; i++) sums[i] = acc[i / 4][i % 4];
      }
    }
  }
}

// OIHW -> for each group of 16 outputs [k][k][cin] v16.
void packForward(const float* w, int cout, int cin, int k, float* packed) {
  for (int o = 0; o < cout; o++)
    for (int i = 0; i < cin; i++)
      for (int t = 0; t < k * k; t++)
        packed[((long(o / 16) * k * k + t) * cin + i) * 16 + o % 16] = w[(long(o) * cin + i) * k * k + t];
}

// The same of the convolution that sends gradients back: inputs and outputs exchanged, taps reversed.
void packBackward(const float* w, int cout, int cin, int k, float* packed) {
  for (int o = 0; o < cout; o++)
    for (int i = 0; i < cin; i++)
      for (int t = 0; t < k * k; t++)
        packed[((long(i / 16) * k * k + k * k - 1 - t) * cout + o) * 16 + i % 16] = w[(long(o) * cin + i) * k * k + t];
}

// int8 of one tensor: value / step is rounded and kept within [low, high], which are -128 and 127 less the zero point.
struct Rounding {
  float step, low, high;

  v16 operator()(v16 v) const { return (v16)_mm512_mul_ps((__m512)levels(v / step), _mm512_set1_ps(step)); }
  v16 levels(v16 u) const {
    const __m512 q = _mm512_roundscale_ps((__m512)u, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    return (v16)_mm512_min_ps(_mm512_max_ps(q, _mm512_set1_ps(low)), _mm512_set1_ps(high));
  }
};

// What the gradients of a tensor's step and zero point are summed in.
struct RoundingSums {
  v16 step = {}, zero = {};
};

// g -> gradient of the value v before it was rounded; where the result was limited it belongs to the limits instead (Esser et al. 2020).
inline v16 throughRounding(const Rounding& r, v16 v, v16 g, RoundingSums& sums) {
  const v16 u = v / r.step, q = r.levels(u);
  const auto inside = (u - q <= 0.5f) & (q - u <= 0.5f);
  const v16 none = {};
  sums.step += g * (inside ? q - u : q);
  sums.zero += inside ? none : g * -r.step;
  return inside ? g : none;
}

template <int F>
struct Network {
  static constexpr int G = F / 16;
  int n, m, o;
  Plane s;
  const Rounding* rounding = nullptr;  // of start and of each block's result; none: f32
  const float* skip = nullptr;         // with rounding: what each channel of start is multiplied by where it is added

  long activation() const { return s.area() * F; }
  // Of one picture: x, then start, z and a of each block, of which the last is the sum that the last layer reads, and start unrounded.
  long perPicture() const { return (s.area() + 15) / 16 * 16 + activation() * (2 * m + 2); }
  float* x(float* store, int i) const { return store + i * perPicture(); }
  float* start(float* store, int i) const { return x(store, i) + (s.area() + 15) / 16 * 16; }
  float* z(float* store, int i, int b) const { return start(store, i) + activation() * (1 + 2 * b); }
  // After block b; of the last block the sum with `start`.
  float* a(float* store, int i, int b) const { return start(store, i) + (b < 0 ? 0 : activation() * (2 + 2 * b)); }
  float* exactStart(float* store, int i) const { return start(store, i) + activation() * (2 * m + 1); }

  v16 rounded(int tensor, v16 v) const { return rounding ? rounding[tensor](v) : v; }
  // v, channels from c on, as it is added to the last block's result.
  v16 skipped(v16 v, int c) const { return rounding ? v * *reinterpret_cast<const v16u*>(skip + c) : v; }

  void forward(const float* input, const float* const* w, const float* const* bias, const float* const* slope, float* store,
               float* out) const {
    Aligned first(25 * F), middle(9L * F * F * m), last(25L * F * 16);
    packForward(w[0], F, 1, 5, first.data);
    for (int b = 0; b < m; b++) packForward(w[1 + b], F, F, 3, middle.data + 9L * F * F * b);
    if (o == 4) {
      for (int q = 0; q < 4; q++)
        for (int i = 0; i < F; i++)
          for (int t = 0; t < 25; t++)
            last.data[((long(t) * G + i / 16) * 4 + q) * 16 + i % 16] = w[m + 1][(long(q) * F + i) * 25 + t];
    } else {
      packForward(w[m + 1], 16, F, 5, last.data);
    }
    for (int i = 0; i < n; i++) {
      float* xs = x(store, i);
      std::memset(xs, 0, sizeof(float) * perPicture());
      for (int y = 0; y < s.h; y++)
        std::memcpy(xs + s.at(y, 0), input + (long(i) * s.h + y) * s.w, sizeof(float) * s.w);
      float* begin = start(store, i);
      for (int g = 0; g < G; g++) {
        convolve<5, 1>(s, xs, reinterpret_cast<v16*>(first.data) + 25 * g, *reinterpret_cast<const v16u*>(bias[0] + 16 * g),
                       [&](long at, v16 v) {
                         *reinterpret_cast<v16*>(begin + at * F + 16 * g) = rounded(0, v);
                         if (rounding) *reinterpret_cast<v16*>(exactStart(store, i) + at * F + 16 * g) = v;
                       });
      }
      for (int b = 0; b < m; b++) {
        const float* from = a(store, i, b - 1);
        float *zs = z(store, i, b), *as = a(store, i, b);
        for (int g = 0; g < G; g++) {
          const v16 slopes = *reinterpret_cast<const v16u*>(slope[b] + 16 * g);
          const auto* weights = reinterpret_cast<v16*>(middle.data + 9L * F * F * b) + 9 * F * g;
          convolve<3, F>(s, from, weights, *reinterpret_cast<const v16u*>(bias[1 + b] + 16 * g), [&](long at, v16 v) {
            const long k = at * F + 16 * g;
            *reinterpret_cast<v16*>(zs + k) = v;
            v16 r = v > 0 ? v : v * slopes;
            if (b == m - 1) r += skipped(*reinterpret_cast<v16*>(begin + k), 16 * g);
            *reinterpret_cast<v16*>(as + k) = rounded(b + 1, r);
          });
        }
      }
      const float* sum = a(store, i, m - 1);
      float* result = out + long(i) * s.h * s.w * o;
      if (o == 4) {
        lastOfFour<F>(s, sum, reinterpret_cast<v16*>(last.data), bias[m + 1], result);
      } else {
        convolve<5, F>(s, sum, reinterpret_cast<v16*>(last.data), *reinterpret_cast<const v16u*>(bias[m + 1]), [&](long at, v16 v) {
          const long y = at / s.row() - BORDER, col = at % s.row() - BORDER;
          *reinterpret_cast<v16u*>(result + (y * s.w + col) * 16) = v;
        });
      }
    }
  }

  // Gradients of the weights [O][I][K][K], biases and slopes, summed over the pictures.
  // dr: of each tensor that is rounded, gradients of its step and zero point.
  void backward(const float* gout, const float* const* w, const float* const* slope, float* store, float* const* dw,
                float* const* db, float* const* ds, float* dr) const {
    Aligned middle(9L * F * F * m), last(25L * F * 16), gl(s.area() * o), g0(activation()), g1(activation()), gs(activation());
    Aligned sumFirst(25 * F), sumMiddle(9L * F * F * m), sumLast(25L * F * o), sumBias(F * (m + 1)), sumSlope(F * m);
    for (int b = 0; b < m; b++) packBackward(w[1 + b], F, F, 3, middle.data + 9L * F * F * b);
    packBackward(w[m + 1], o, F, 5, last.data);
    const auto clear = [](Aligned& t, long count) { std::memset(t.data, 0, sizeof(float) * count); };
    clear(sumFirst, 25 * F), clear(sumMiddle, 9L * F * F * m), clear(sumLast, 25L * F * o);
    clear(sumBias, F * (m + 1)), clear(sumSlope, F * m);
    clear(gl, s.area() * o), clear(g0, activation()), clear(g1, activation()), clear(gs, activation());
    for (int q = 0; q < o; q++) db[m + 1][q] = 0;
    for (int t = 0; rounding && t < 2 * (m + 1); t++) dr[t] = 0;
    for (int i = 0; i < n; i++) {
      for (int y = 0; y < s.h; y++) {
        const float* from = gout + (long(i) * s.h + y) * s.w * o;
        std::memcpy(gl.data + s.at(y, 0) * o, from, sizeof(float) * s.w * o);
        for (int x = 0; x < s.w; x++)
          for (int q = 0; q < o; q++) db[m + 1][q] += from[x * o + q];
      }
      const float* sum = a(store, i, m - 1);
      for (int g = 0; g < G; g++) {
        const auto keep = [&](long at, v16 v) { *reinterpret_cast<v16*>(gs.data + at * F + 16 * g) = v; };
        const auto* weights = reinterpret_cast<v16*>(last.data) + 25L * o * g;
        if (o == 4) {
          convolve<5, 4>(s, gl.data, weights, v16{}, keep);
        } else {
          weightGradient<5, F, 16>(s, sum + 16 * g, gl.data, reinterpret_cast<v16*>(sumLast.data) + 25 * 16 * g);
          convolve<5, 16>(s, gl.data, weights, v16{}, keep);
        }
      }
      if (o == 4) lastOfFourGradient<F>(s, sum, gl.data, reinterpret_cast<v16*>(sumLast.data));
      // What was rounded is computed once more. Borders stay zero, as do those of g.
      const auto unround = [&](int tensor, float* g, auto value) {
        if (!rounding) return;
        RoundingSums sums;
        for (int y = 0; y < s.h; y++) {
          for (long k = s.at(y, 0) * F; k < s.at(y, s.w) * F; k += 16) {
            v16& gv = *reinterpret_cast<v16*>(g + k);
            gv = throughRounding(rounding[tensor], value(k), gv, sums);
          }
        }
        dr[2 * tensor] += _mm512_reduce_add_ps((__m512)sums.step);
        dr[2 * tensor + 1] += _mm512_reduce_add_ps((__m512)sums.zero);
      };
      const auto unroundBlock = [&](int b, float* g) {
        const float* begin = start(store, i);
        const float* zs = z(store, i, b);
        unround(b + 1, g, [&](long k) {
          const v16 v = *reinterpret_cast<const v16*>(zs + k);
          const v16 r = v > 0 ? v : v * *reinterpret_cast<const v16u*>(slope[b] + k % F);
          return b == m - 1 ? r + skipped(*reinterpret_cast<const v16*>(begin + k), k % F) : r;
        });
      };
      unroundBlock(m - 1, gs.data);
      // g: gradient of what a block gave; next: of what it read.
      float* g = gs.data;
      float* next = g0.data;
      for (int b = m - 1; b >= 0; b--) {
        if (b < m - 1) unroundBlock(b, g);
        float* dz = next == g0.data ? g1.data : g0.data;  // may be g itself
        const float* zs = z(store, i, b);
        for (int k = 0; k < G; k++) {
          const v16 slopes = *reinterpret_cast<const v16u*>(slope[b] + 16 * k);
          v16 biasSum = reinterpret_cast<v16*>(sumBias.data + F * (b + 1))[k], slopeSum = reinterpret_cast<v16*>(sumSlope.data + F * b)[k];
          for (int y = 0; y < s.h; y++) {
            for (int x = 0; x < s.w; x++) {
              const long at = s.at(y, x) * F + 16 * k;
              const v16 gv = *reinterpret_cast<const v16*>(g + at), zv = *reinterpret_cast<const v16*>(zs + at);
              const v16 d = zv > 0 ? gv : gv * slopes;
              slopeSum += zv > 0 ? v16{} : gv * zv;
              biasSum += d;
              *reinterpret_cast<v16*>(dz + at) = d;
            }
          }
          reinterpret_cast<v16*>(sumBias.data + F * (b + 1))[k] = biasSum;
          reinterpret_cast<v16*>(sumSlope.data + F * b)[k] = slopeSum;
        }
        const float* from = a(store, i, b - 1);
        for (int p = 0; p < G; p++)
          for (int q = 0; q < G; q++)
            weightGradient<3, F, F>(s, from + 16 * p, dz + 16 * q, reinterpret_cast<v16*>(sumMiddle.data) + ((long(b) * G + p) * G + q) * 9 * 16);
        for (int k = 0; k < G; k++) {
          convolve<3, F>(s, dz, reinterpret_cast<v16*>(middle.data + 9L * F * F * b) + 9 * F * k, v16{}, [&](long at, v16 v) {
            const long j = at * F + 16 * k;
            if (b == 0) v += skipped(*reinterpret_cast<v16*>(gs.data + j), 16 * k);
            *reinterpret_cast<v16*>(next + j) = v;
          });
        }
        g = next;
        next = dz;
      }
      unround(0, g, [&](long k) { return *reinterpret_cast<const v16*>(exactStart(store, i) + k); });
      for (int k = 0; k < G; k++) {
        firstGradient<F>(s, x(store, i), g + 16 * k, reinterpret_cast<v16*>(sumFirst.data) + 25 * k);
        v16 biasSum = reinterpret_cast<v16*>(sumBias.data)[k];
        for (int y = 0; y < s.h; y++)
          for (int x = 0; x < s.w; x++) biasSum += *reinterpret_cast<const v16*>(g + s.at(y, x) * F + 16 * k);
        reinterpret_cast<v16*>(sumBias.data)[k] = biasSum;
      }
    }
    for (int c = 0; c < F; c++) {
      for (int t = 0; t < 25; t++) dw[0][c * 25 + t] = sumFirst.data[((c / 16) * 25 + t) * 16 + c % 16];
      for (int b = 0; b <= m; b++) db[b][c] = sumBias.data[F * b + c];
      for (int b = 0; b < m; b++) ds[b][c] = sumSlope.data[F * b + c];
    }
    for (int b = 0; b < m; b++)
      for (int q = 0; q < F; q++)
        for (int p = 0; p < F; p++)
          for (int t = 0; t < 9; t++)
            dw[1 + b][(long(q) * F + p) * 9 + t] =
                sumMiddle.data[((((long(b) * G + p / 16) * G + q / 16) * 9 + t) * 16 + p % 16) * 16 + q % 16];
    for (int q = 0; q < o; q++)
      for (int p = 0; p < F; p++)
        for (int t = 0; t < 25; t++)
          dw[m + 1][(long(q) * F + p) * 25 + t] =
              o == 4 ? sumLast.data[((((t / 5) * G + p / 16) * 5 + t % 5) * 4 + q) * 16 + p % 16]
                     : sumLast.data[((long(p / 16) * 25 + t) * 16 + p % 16) * 16 + q];
  }
};

}  // namespace

extern "C" {

long f32_store(int h, int w, int m, int f) {
  const Plane s{h, w};
  return f == 16 ? Network<16>{1, m, 4, s}.perPicture() : Network<32>{1, m, 4, s}.perPicture();
}

// roundings: m + 1 of them, and skip [f]; or none.
void f32_forward(int n, int h, int w, int m, int f, int o, const float* x, const float* const* weights, const float* const* bias,
                  const float* const* slope, const Rounding* roundings, const float* skip, float* store, float* out) {
  const Plane s{h, w};
  if (f == 16) Network<16>{n, m, o, s, roundings, skip}.forward(x, weights, bias, slope, store, out);
  else Network<32>{n, m, o, s, roundings, skip}.forward(x, weights, bias, slope, store, out);
}

void f32_backward(int n, int h, int w, int m, int f, int o, const float* gout, const float* const* weights, const float* const* slope,
                   const Rounding* roundings, const float* skip, float* store, float* const* dw, float* const* db, float* const* ds, float* dr) {
  const Plane s{h, w};
  if (f == 16) Network<16>{n, m, o, s, roundings, skip}.backward(gout, weights, slope, store, dw, db, ds, dr);
  else Network<32>{n, m, o, s, roundings, skip}.backward(gout, weights, slope, store, dw, db, ds, dr);
}
}
